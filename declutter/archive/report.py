"""One page about a run, from which a person sees in minutes what was stripped from a million documents, and where to look closer.

It is made of what the run summed up (run.json, survey.json) and wrote down of failures (errors.jsonl); no document is read again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from declutter.archive.files import Reading, place
from declutter.archive.sources import ERRORS, REPORT, SURVEY
from declutter.archive.survey import DOUBTFUL, EMPTIED, KEPT, NO_SITE, Counts, Example, Frequent, Location, Survey
from declutter.errors import SourceError, UsageError
from declutter.kinds import KINDS
from declutter.writers.pages import Markup, fill_page, joined, markup

_TEMPLATE = Path(__file__).with_name("report.html")
_SITES = 100  # that the table shows
_CARDS = 24  # sites that look wrong
_TEXTS = 12  # frequent ones of a kind
_REASONS = 50  # kinds of failures that are told apart
_REASON = 300  # characters of one
_OPEN = 3  # kinds whose examples are shown without being asked for
_LINE = 1 << 20  # bytes of a line of errors
_NUMBER = re.compile(r"\d[\d,.]*")

COMPARED = 5  # documents from which on a site is compared to others
FAR = 0.15  # share of the characters that a site's must at least lie from what is usual to look wrong
SPREAD = 3.0  # how many times the usual distance from it that must be
UNUSUAL = 3.0  # how many times the usual number of doubts or edges looks wrong


def report_page(folder: Path | str) -> str:
    """A page about what a run of `clean_archive` did, as one HTML file that loads nothing.

    Args:
        folder: what the run wrote to.

    Raises:
        UsageError: there is no run that came to its end.
    """
    folder = place(folder)
    run = _read_run(folder)
    try:
        survey = Survey.from_json((folder / SURVEY).read_bytes())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(f"there is no {SURVEY} in {folder} that a run wrote") from None
    _, whole = survey.largest(0)
    suspects = find_suspects(survey, whole)
    failures = _failures(folder / ERRORS)
    sections = [
        Section("kinds", "By kind", None, _kinds(run, survey)),
        Section("check", "Sites that look wrong", len(suspects), _suspects(suspects)),
        Section("doubtful", "In doubt", None, _doubts(survey)),
        Section("sites", "Sites", None, _sites(survey)),
        Section("notices", "Notices by kind", None, _notices(run, survey)),
        Section("emptied", "Nothing is left", whole.emptied, _emptied(survey)),
        Section("errors", "Errors", run["errors"], _errors(failures)),
        Section("settings", "The run", None, _settings(run)),
    ]
    return fill_page(
        _TEMPLATE,
        title=f"What was stripped: {folder.resolve().name}",
        sources=f"From {', '.join(run['sources'])}",
        contents=joined(section.entry for section in sections),
        tiles=_tiles(run, whole),
        findings=_findings(run, whole, suspects),
        sections=joined(section.markup for section in sections),
    )


def _read_run(folder: Path) -> dict[str, Any]:
    try:
        run = json.loads((folder / REPORT).read_bytes())
        finished, applied = run.get("finished"), run["settings"].get("applied")
    except OSError:
        raise UsageError(f"{folder} is not a folder that declutter archive wrote: it holds no {REPORT}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(f"{folder / REPORT} is not the report of a run") from None
    if applied:
        raise UsageError(f"{folder} was written by declutter apply; report on the folder of the run itself")
    if not finished:
        raise UsageError(f"the run in {folder} did not come to its end; the same declutter archive goes on with it")
    return run  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: where links lead, its heading, the number that the contents give, and what stands in it."""

    name: str
    heading: str
    number: int | None
    content: Markup

    @property
    def entry(self) -> Markup:
        """Its line in the contents."""
        number = markup(' <span class="faint">{:s}</span>', f"{self.number:,}") if self.number is not None else ""
        return markup('<li><a href="#{}">{}</a>{}</li>', self.name, self.heading, number)

    @property
    def markup(self) -> Markup:
        """The section itself."""
        return markup('<section><h2 id="{}">{}</h2>{}</section>', self.name, self.heading, self.content)


class Usual(NamedTuple):
    """What sites are compared to.

    Attributes:
        share: of the characters that half of the sites strip less, or more, of.
        spread: by how much half of the sites differ from that.
        edges: of a document, likewise.
        doubts: share of all paragraphs that are uncertain.
    """

    share: float
    spread: float
    edges: float
    doubts: float


class Suspect(NamedTuple):
    """A site whose removals look wrong, what speaks for that, the strongest first, and how far from usual that is."""

    site: str
    counts: Counts
    reasons: list[str]
    weight: float


def find_suspects(survey: Survey, whole: Counts) -> list[Suspect]:
    """The sites that differ from the others, those that differ most first; only those of some documents are compared.

    Args:
        survey: what a run saw.
        whole: the counts of all its sites.
    """
    compared = {
        site: counts for site, counts in survey.sites.items() if counts.documents >= COMPARED and site != NO_SITE
    }
    if not compared:
        return []
    shares = [_stripped(counts) for counts in compared.values()]
    share = median(shares)
    usual = Usual(
        share,
        median(abs(own - share) for own in shares),
        median(counts.edges / counts.documents for counts in compared.values()),
        _share(whole.uncertain, whole.paragraphs),
    )
    suspects = []
    for site, counts in compared.items():
        if found := sorted(_oddities(counts, usual), reverse=True):
            weight = sum(weight for weight, _ in found)
            suspects.append(Suspect(site, counts, [reason for _, reason in found], weight))
    return sorted(suspects, key=lambda suspect: (-suspect.weight, suspect.site))


def _oddities(counts: Counts, usual: Usual) -> Iterator[tuple[float, str]]:
    """What is odd about a site: how far from usual, from about 1 on, and what."""
    share, documents = _stripped(counts), counts.documents
    distance = abs(share - usual.share)
    if distance >= max(FAR, SPREAD * usual.spread):
        less = "less" if share > usual.share else "more"
        odd = f"{_percent(share)} of its characters were stripped; of half of the sites {less} than {_percent(usual.share)}"
        yield distance / FAR, odd
    if counts.emptied > 1:
        odd = f"nothing is left of {counts.emptied:,} of its {documents:,} documents"
        yield 1 + 5 * counts.emptied / documents, odd
    doubts = _share(counts.uncertain, counts.paragraphs)
    if doubts >= UNUSUAL * max(usual.doubts, 0.01) and counts.uncertain >= COMPARED:
        odd = f"{_percent(doubts)} of its paragraphs are uncertain, {_percent(usual.doubts)} of all"
        yield doubts / max(usual.doubts, 0.01) / UNUSUAL, odd
    edges = counts.edges / documents
    if edges >= UNUSUAL * max(usual.edges, 3):
        odd = (
            f"kept and stripped text meet {edges:.0f} times in a document, {usual.edges:.0f} times where that is usual"
        )
        yield edges / max(usual.edges, 3) / UNUSUAL, odd
    failed = counts.errors / (counts.errors + documents)
    if failed >= 0.05 and counts.errors > 1:
        yield 1 + 5 * failed, f"{counts.errors:,} of its documents could not be judged"


def _stripped(counts: Counts) -> float:
    return _share(counts.removed_characters, counts.characters)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _percent(share: float) -> str:
    return (
        f"{share:.1%}" if 0.001 <= share < 0.0995 or share == 0 else "under 0.1%" if share < 0.001 else f"{share:.0%}"
    )


def _counted(number: int, name: str) -> str:
    return f"{number:,} {name}{'s' * (number != 1)}"


def _tiles(run: dict[str, Any], whole: Counts) -> Markup:
    rows = [
        ("Documents", f"{run['records']:,}", f"in {_counted(run['files'], 'file')}"),
        ("Stripped", _percent(_share(run["removed_characters"], run["characters"])), "of the characters"),
        ("Uncertain", _percent(_share(whole.uncertain, whole.paragraphs)), "of the paragraphs"),
        ("Nothing left of", f"{whole.emptied:,}", "documents"),
        ("Errors", f"{run['errors']:,}", "records or files"),
        ("Time", _duration(run["seconds"]), _workers(run)),
    ]
    return joined(markup("<div><dt>{}</dt><dd>{}</dd><dd>{}</dd></div>", *row) for row in rows)


def _workers(run: dict[str, Any]) -> str:
    return _counted(run["workers"], "worker") if run["workers"] else "as many workers as there were"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def _findings(run: dict[str, Any], whole: Counts, suspects: list[Suspect]) -> Markup:
    """What there is to look at, as sentences that lead there."""
    found = []
    if run["errors"]:
        share = _percent(_share(run["errors"], run["records"]))
        found.append(
            markup('<a href="#errors">{}</a>, {} of the documents.', _counted(run["errors"], "failure"), share)
        )
    if whole.emptied:
        share = _percent(_share(whole.emptied, whole.documents))
        found.append(
            markup(
                '<a href="#emptied">Nothing is left</a> of {}, {} of all.', _counted(whole.emptied, "document"), share
            )
        )
    if suspects:
        names = ", ".join(suspect.site for suspect in suspects[:3]) + (" and others" if len(suspects) > 3 else "")
        number = "One site differs" if len(suspects) == 1 else f"{len(suspects)} sites differ"
        found.append(markup('<a href="#check">{}</a> from the rest: {}.', number, names))
    for flag, meaning in _FLAGS.items():
        if number := run["flagged"].get(flag):
            share = _percent(_share(number, run["records"]))
            found.append(markup("{}, {} of all, {}.", _counted(number, "document"), share, meaning))
    found.append(
        markup(
            'What was stripped, or kept, <a href="#doubtful">in doubt</a>: {} of the paragraphs.',
            _percent(_share(whole.uncertain, whole.paragraphs)),
        )
    )
    return markup("<ul>{}</ul>", joined(markup("<li>{}</li>", finding) for finding in found))


_FLAGS = {
    "mostly_notice": "with less than a tenth of article",
    "unfamiliar": "in a language that the model has seen little of",
    "looks_paywalled": "with a paywall notice",
}
_HEADS = {"#": ' class="n"', "~": ' class="meaning"'}


def _table(heads: Iterable[str], rows: Iterable[Markup], kind: str = "") -> Markup:
    """A table; heads that begin with "#" are of numbers, those with "~" are left out where there is little room."""
    head = joined(
        markup('<th scope="col"{}>{}</th>', Markup(_HEADS.get(name[0], "")), name.lstrip("#~")) for name in heads
    )
    body = joined(rows, "\n")
    return markup(
        '<div class="wide"><table class="{}"><thead><tr>{}</tr></thead><tbody>\n{}\n</tbody></table></div>',
        kind,
        head,
        body,
    )


def _number(value: float, form: str = ",") -> Markup:
    return markup('<td class="n" data-value="{}">{}</td>', value, format(value, form))


def _share_cell(share: float) -> Markup:
    return markup(
        '<td class="n share" data-value="{}" style="--share: {}%">{}</td>',
        round(share, 6), round(100 * share, 1), _percent(share),
    )  # fmt: skip


def _kinds(run: dict[str, Any], survey: Survey) -> Markup:
    all_stripped = sum(survey.removed_characters.values())
    rows = [
        markup(
            '<tr><td><span class="kind {}">{}</span></td><td class="small faint meaning">{}</td>{}{}{}</tr>',
            row.kind, row.kind, row.meaning, _number(run["paragraphs"][row.kind]), _number(run["removed"].get(row.kind, 0)),
            _share_cell(_share(survey.removed_characters.get(row.kind, 0), all_stripped)),
        )
        for row in KINDS
        if run["paragraphs"].get(row.kind)
    ]  # fmt: skip
    explained = markup(
        "<p>Paragraphs there were, paragraphs stripped, and the share of each kind in all stripped characters.</p>"
    )
    return joined([explained, _table(("Kind", "~What it is", "#Paragraphs", "#Stripped", "#Share"), rows, "sortable")])


def _suspects(suspects: list[Suspect]) -> Markup:
    explained = markup(
        "<p>Sites of at least {} documents whose share of stripped text lies far from the other sites', or that have many "
        "documents of which nothing is left, many doubts, or text that was cut into many pieces. That may be right; a look at "
        "a document or two tells.</p>",
        COMPARED,
    )
    if not suspects:
        return joined([explained, markup("<p>None does.</p>")])
    cards = (
        markup(
            '<div class="card"><h3>{}</h3><p class="small faint">{} documents, {} of the characters stripped</p><ul>{}</ul>{}</div>',
            suspect.site,
            f"{suspect.counts.documents:,}",
            _percent(_stripped(suspect.counts)),
            joined(markup("<li>{}</li>", reason) for reason in suspect.reasons),
            _fullest(suspect.counts),
        )
        for suspect in suspects[:_CARDS]
    )
    return joined([explained, *cards])


def _fullest(counts: Counts) -> Markup:
    if counts.most is None:
        return Markup()
    return markup('<p class="small faint">Most was stripped from {}</p>', _where(counts.most))


def _doubts(survey: Survey) -> Markup:
    parts = [
        markup(
            "<p>Paragraphs that the thresholds of <code>archive</code> would keep and those of <code>corpus</code> would strip, "
            "drawn at random. If most of the first list is article, keep more: <code>--for archive</code>. If most of the second "
            "is not, strip more: <code>--for corpus</code>.</p>"
        )
    ]
    for name, heading in ((DOUBTFUL, "Stripped"), (KEPT, "Kept")):
        parts.append(markup("<h3>{}</h3>", heading))
        parts.append(joined(map(_quoted, _of(survey, name))) or markup("<p>None.</p>"))
    return joined(parts)


def _of(survey: Survey, name: str) -> list[Example]:
    """A sample, the longest texts first: those are what a reader would miss."""
    sample = survey.samples.get(name)
    return sorted(sample.items.values(), key=lambda example: -len(example.text)) if sample else []


def _quoted(example: Example) -> Markup:
    """An example between its neighbours, with where it is and how likely it is article."""
    before, after = (
        markup('<p class="faint small" dir="auto">{}</p>', text) if text else ""
        for text in (example.before, example.after)
    )
    return markup(
        '<blockquote class="{}">{}<p dir="auto">{}</p>{}<footer><span class="kind {}">{}</span> article with a probability of {} · {}'
        "</footer></blockquote>",
        example.kind, before, example.text, after, example.kind, example.kind, f"{example.content:.2f}", _where(example.location),
    )  # fmt: skip


def _where(location: Location) -> Markup:
    """Where a document is; its address is a link where it is one of the web."""
    file = markup("{}, {}", location.file, location.position)
    if location.url is None:
        return file
    if not location.url.startswith(("https://", "http://")):
        return markup("{} · {}", location.url, file)
    return markup('<a href="{}" rel="noreferrer noopener">{}</a> · {}', location.url, location.url, file)


def _sites(survey: Survey) -> Markup:
    largest, others = survey.largest(_SITES)
    rows = [_site_row(site, counts, "") for site, counts in largest.items()]
    if others.documents or others.errors:
        rows.append(_site_row("all others", others, "rest"))
    heads = ("Site", "#Documents", "#Stripped", "#Uncertain", "#Nothing left", "#Edges a document", "#Errors")
    explained = markup(
        "<p>The sites with the most documents. Edges are places where kept and stripped paragraphs meet; many mean that articles "
        "were cut into pieces.</p>"
    )
    return joined([explained, _table(heads, rows, "sortable")])


def _site_row(site: str, counts: Counts, kind: str) -> Markup:
    return markup(
        '<tr class="{}"><td>{}</td>{}{}{}{}{}{}</tr>',
        kind,
        site,
        _number(counts.documents),
        _share_cell(_stripped(counts)),
        _share_cell(_share(counts.uncertain, counts.paragraphs)),
        _number(counts.emptied),
        _number(round(_share(counts.edges, counts.documents), 1)),
        _number(counts.errors),
    )


def _notices(run: dict[str, Any], survey: Survey) -> Markup:
    """The most frequent texts of every kind that was stripped, and others at random, the kinds with most text first."""
    kinds = sorted(survey.frequent, key=lambda kind: (-survey.removed_characters.get(kind, 0), kind))
    parts = [
        markup(
            "<p>Of every kind the texts that were stripped most often (numbers in them make no difference; of what is rare, the "
            "counts may be too low), and others drawn at random from all that are different.</p>"
        )
    ]
    for i, kind in enumerate(kinds):
        texts = sorted(survey.frequent[kind].values(), key=lambda text: (-text.count, text.text))[:_TEXTS]
        often = [text for text in texts if text.count > 1]
        parts.append(
            markup(
                '<details{}><summary><span class="kind {}">{}</span> {} paragraphs stripped</summary>{}<h3>At random</h3>{}</details>',
                Markup(" open" * (i < _OPEN)),
                kind,
                kind,
                f"{run['removed'].get(kind, 0):,}",
                _table(("#Times", "Text", "~Sites"), map(_frequent_row, often)) if often else "",
                joined(map(_quoted, _of(survey, kind))),
            )
        )
    return joined(parts)


def _frequent_row(text: Frequent) -> Markup:
    sites = ", ".join(text.sites[:3]) + (" and others" if len(text.sites) > 3 else "")
    return markup(
        '<tr>{}<td dir="auto">{}</td><td class="small faint meaning">{}</td></tr>',
        _number(text.count),
        text.text,
        sites,
    )


def _emptied(survey: Survey) -> Markup:
    examples = joined(map(_quoted, _of(survey, EMPTIED)))
    explained = markup("<p>Documents of which every paragraph was stripped, at random, with the longest one.</p>")
    return joined([explained, examples]) if examples else markup("<p>Something is left of every document.</p>")


@dataclass(slots=True)
class Failures:
    """Failures of one kind: why, how many, and where the first was."""

    reason: str
    count: int
    first: str


def _failures(path: Path) -> list[Failures]:
    """What failed and why, the most frequent reason first; numbers in a reason make no difference. Bounded, as a survey is."""
    found: dict[str, Failures] = {}
    others = Failures("other reasons", 0, "")
    try:
        with Reading(path) as file:
            for line in filter(None, file.lines(_LINE)):
                error = json.loads(line)
                position = "" if error["position"] is None else f", {error['position']}"
                own = Failures(error["reason"][:_REASON], 0, f"{error['file']}{position}")
                key = _NUMBER.sub("0", own.reason)
                same = found.setdefault(key, own) if key in found or len(found) < _REASONS else others
                same.count += 1
                same.first = same.first or own.first
    except (SourceError, ValueError, KeyError, TypeError):
        raise UsageError(f"{path} is not what a run wrote") from None
    return sorted([*found.values(), *([others] if others.count else [])], key=lambda row: -row.count)


def _errors(failures: list[Failures]) -> Markup:
    if not failures:
        return markup("<p>There were none.</p>")
    rows = [
        markup('<tr>{}<td>{}</td><td class="small faint">{}</td></tr>', _number(row.count), row.reason, row.first)
        for row in failures
    ]
    explained = markup("<p>Each is a line of <code>{}</code> in the folder of the run.</p>", ERRORS)
    return joined([explained, _table(("#Times", "Reason", "First at"), rows)])


def _settings(run: dict[str, Any]) -> Markup:
    settings = run["settings"]
    rows: list[tuple[str, Any]] = [
        ("declutter", run["declutter"]),
        ("model", settings["model"]),
        *((name.replace("_", " "), value) for name, value in settings["policy"].items()),
        *((name.replace("_", " "), value) for name, value in settings.items() if name not in _SHOWN_APART),
        ("engine", f"{run['engine']}, {_workers(run)}"),
        ("seconds", f"{run['seconds']:,}"),
        ("shards", f"{run['shards']:,}, of which {run['skipped']:,} were done before"),
        ("bytes read", f"{run['bytes']:,}"),
        *run["versions"].items(),
    ]
    return markup(
        '<dl class="settings">{}</dl>', joined(markup("<dt>{}</dt><dd>{}</dd>", n, _plain(v)) for n, v in rows)
    )


_SHOWN_APART = ("model", "policy", "thresholds")


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={called}" for name, called in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
