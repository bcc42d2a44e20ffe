"""The paper's four experiments as this lab made them: docs/replication, from a home's runs.

    python -m benchmarks.replication [-o docs/replication] [--base nano] [--metric bleu]

replica   a preset's runs over whole seeds, and the lab's report on them
verdicts  what the paper showed, held against the findings
pages     the pages; markdown: their tables; svg: their figures
"""
