"""Whole archives: every document of JSON lines, Parquet, WARC, WET, text and HTML files cleaned, with what leads back.

`run.clean_archive` is a run, `shard.clean_shard` what every engine calls, `sites` learns what the documents of a site have in
common, `labels` is what stands beside a cleaned text, and `apply.apply_archive` what can be done with it afterwards;
`report.report_page` shows a run to a person.
"""

from declutter.archive.apply import Applied, apply_archive
from declutter.archive.report import report_page
from declutter.archive.run import Report, clean_archive
from declutter.archive.sites import merge_memories

__all__ = ["Applied", "Report", "apply_archive", "clean_archive", "merge_memories", "report_page"]
