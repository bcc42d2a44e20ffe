"""Runs on a Ray cluster: placed by Ray, followed from here, their events and files brought home.

address      what a cluster's address looks like, and whether Ray is here at all
facts        what a machine has: versions and packages, and how two of them differ
probe        asking a cluster what its nodes have, before anything is placed
luggage      what a run takes along: its files, and files and runs that its spec names
scratch      where a node keeps what came to it
remote_job   on a node: the actor that does one run
job_home     on a node: what a run says and makes, kept until it is fetched
leash        on a node: what ends a run's process together with its actor
courier      files in pieces, checked, under other names until they are whole
far          what the home may ask of a remote job, and how that can fail
connecting   to a cluster, with a sentence where that cannot be
namespace    the word that keeps one home's jobs apart from another's
ray_jobs     what `far` describes, through Ray
attendance   one run from the home's side: place, send, follow, fetch, write its end down
watcher      the process that attends all runs of a home on one cluster
clusters     the thread in the app or at the command line that keeps a watcher going

Only `connecting`, `ray_jobs`, `probe` and `watcher` import Ray, and these run in processes of their
own: Ray ends a process that has lost its cluster.
"""
