"""Every error declutter raises, and what a batch does with it.

    DeclutterError
    ├── UsageError        wrong call: unknown kind, format or option      stop
    ├── SourceError       this input cannot be read or is not text        skip it, count it
    ├── ModelError        the model is broken, foreign or of another version   stop
    ├── CorpusError       a corpus file breaks the corpus' own rules      stop
    └── MissingExtraError an optional dependency is not installed         stop

The command line prints the message as one line; 2 is the exit code of everything that stops, 1 of inputs that failed.
"""


class DeclutterError(Exception):
    """Base of all errors that declutter raises on purpose."""


class UsageError(DeclutterError, ValueError):
    """The call itself is wrong: an unknown kind, format, unit or a threshold out of range."""


class SourceError(DeclutterError):
    """The input cannot be read, or is neither a page nor text."""


class ModelError(DeclutterError):
    """The model's files are missing, damaged, or made for another version of declutter."""


class CorpusError(DeclutterError):
    """A record of the corpus is not what the corpus' data card promises."""


class MissingExtraError(DeclutterError, ImportError):
    """Something optional is needed; the message names the extra to install."""
