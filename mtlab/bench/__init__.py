"""Speed, measured against what a user would pick instead: same model, same data, same outputs."""
