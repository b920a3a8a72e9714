"""declutter tells the article from the publisher's boilerplate, paragraph by paragraph, in web pages and in plain text."""

from declutter.document import Document, Notice, Paragraph, Reason
from declutter.errors import CorpusError, DeclutterError, MissingExtraError, ModelError, SourceError, UsageError
from declutter.kinds import NOTICES, Kind
from declutter.labeller import Declutter, clean, label
from declutter.policy import DEFAULT_KEEP, PRESETS

__version__ = "0.1.0"

__all__ = [
    "DEFAULT_KEEP",
    "NOTICES",
    "PRESETS",
    "CorpusError",
    "Declutter",
    "DeclutterError",
    "Document",
    "Kind",
    "MissingExtraError",
    "ModelError",
    "Notice",
    "Paragraph",
    "Reason",
    "SourceError",
    "UsageError",
    "__version__",
    "clean",
    "label",
]
