"""Runs: the store of folders, the queue, the supervisor, and the process that does the work.

`store`, `supervisor` and everything they need import no torch; `job` alone wires the pipeline.
"""
