"""What a run made, for others: merged weights, and a repository on the hub.

    chosen      which runs can be shared
    origin      the base under a run, and its licence
    merging     base and adapter as one model, checked before it has its name
    telling     the spec and the provenance without this machine's folders
    scores      scores in the hub's own form
    card        the model card: README.md
    loading     how a pushed run is loaded back, as Python
    packing     the folder that is pushed
    share       all of it, in order: check, pack, tell, push
    rights      the hub's token, and whether it may write
    pushing     asking the hub, and pushing; complaints: what it may answer, in sentences

Importing this package loads neither torch nor the hub's library.
"""
