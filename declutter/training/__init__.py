"""Corpus, training and evaluation: needs the extra `train`, and nothing at run time imports it."""
