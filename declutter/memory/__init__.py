"""What the documents of a site have in common, and what that says about a paragraph.

`paragraphs` tells when two are the same, `lookup` reads a memory, `evidence` weighs what it finds. Memories are made by
`declutter.archive`.
"""

from declutter.memory.evidence import MemoryWeights, load_weights, odds_of, shifted
from declutter.memory.lookup import LookUp, Memory, load_memory, site_of

__all__ = ["LookUp", "Memory", "MemoryWeights", "load_memory", "load_weights", "odds_of", "shifted", "site_of"]
