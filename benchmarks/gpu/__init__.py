"""What one GPU does with a model of Llama 2 7B's shape: see `benchmarks.gpu.__main__`.

__main__     the command line; sections in order, figures kept after each
bench        what all sections share: scale, clock, figures, models and texts
models       random Llamas in folders
texts        the corpus as rows of one length, as pairs, as sentences to translate
device       what the device reaches in matrix products and copies
training     contests of training, against TRL
decoding     beam search, against `generate`
paper        the paper's run, as forecast and as a slice of it took
"""
