"""When two paragraphs are the same: fingerprints that see neither numbers nor dates, nor case and white space."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

# Months and days of the week in twenty languages, case folded, after the Unicode CLDR: what stands beside a number may be a date.
_DATES = """
abr abril ago agosto agustus août apr april aprile aprilie aralık aug august augusti augustus augusztus avr avril
ağustos březen března csütörtök cuma cumartesi czerwca czerwiec czwartek dec december decembrie desember dez dezember
dezembro dic dicembre diciembre dienstag dimanche dinsdag domenica domingo donderdag donnerstag duben dubna duminică
déc décembre ekim elokuu elokuuta ene enero eylül feb febbraio febrero februar februari februarie february február
fevereiro fredag freitag fri friday févr février gennaio giovedì giugno grudnia grudzień haziran heinäkuu heinäkuuta
helmikuu helmikuuta huhtikuu huhtikuuta hétfő ianuarie iulie iunie jan janeiro januar januari january január janv
janvier jeudi joi joulukuu joulukuuta jueves juil juillet juin jul julho juli julio july jumat jun june junho juni
junio július június kamis kasım kedd keskiviikko keskiviikkona kesäkuu kesäkuuta květen května kwiecień kwietnia
lauantai lauantaina leden ledna lipca lipiec listopad listopada listopadu lokakuu lokakuuta luglio lundi lunedì lunes
luni lutego luty lördag lørdag maaliskuu maaliskuuta maanantai maanantaina maandag maart maggio mai maio maj maja
mandag mar marca march mardi maret marraskuu marraskuuta mars mart martedì martes martie marts marzec marzo março
marți may mayo mayıs mei mercoledì mercredi miercuri minggu mittwoch miércoles mon monday montag május március mär
märz måndag neděle niedziela nisan noiembrie nov november novembre novembro noviembre ocak oct october octobre
octombrie octubre okt oktober október onsdag ottobre outubro pazar pazartesi październik października perjantai
perjantaina perşembe piątek pondělí poniedziałek prosince prosinec pátek péntek quarta quinta rabu sabato sabtu salı
samedi samstag sat saturday segunda selasa senin sep sept september septembre septembrie septiembre setembro settembre
sexta sierpień sierpnia sobota sonntag srpen srpna styczeń stycznia středa sun sunday sunnuntai syyskuu syyskuuta
szeptember szerda szombat sábado sâmbătă söndag søndag tammikuu tammikuuta temmuz terça thu thursday tiistai tiistaina
tirsdag tisdag torsdag torstai torstaina toukokuu toukokuuta tue tuesday vasárnap vendredi venerdì viernes vineri
vrijdag wed wednesday woensdag wrzesień września wtorek zaterdag zondag září április çarşamba únor února úterý červen
července červenec června čtvrtek říjen října środa şubat απρίλιοσ απριλίου αυγούστου αύγουστοσ δεκέμβριοσ δεκεμβρίου
δευτέρα ιανουάριοσ ιανουαρίου ιουλίου ιουνίου ιούλιοσ ιούνιοσ κυριακή μάιοσ μάρτιοσ μαι μαρτίου νοέμβριοσ νοεμβρίου
οκτωβρίου οκτώβριοσ πέμπτη παρασκευή σάββατο σεπτέμβριοσ σεπτεμβρίου τετάρτη τρίτη φεβρουάριοσ φεβρουαρίου август
августа апрель апреля березень березня вересень вересня воскресенье вторник вівторок грудень грудня декабрь декабря
жовтень жовтня июль июля июнь июня квітень квітня липень липня листопад листопада лютий лютого май март марта мая
неділя ноябрь ноября октябрь октября пʼятниця понедельник понеділок пятница сентябрь сентября середа серпень серпня
среда суббота субота січень січня травень травня февраль февраля червень червня четвер четверг январь января
"""
_CALENDAR = frozenset(_DATES.split())
_NUMBER = re.compile(r"\d+(?:(?:st|nd|rd|th)\b)?")
_WORD = re.compile(r"[^\W\d_]+")
_NUMBERS = re.compile(r"0(?:[\s.,:/’'–-]*0)+")  # of one amount, date or span
_LETTERS = re.compile(r"[^\W\d_].*?[^\W\d_]", re.DOTALL)
WHOLE = 0  # no paragraph's fingerprint


def mask(text: str) -> str:
    """A paragraph as it is compared: case folded, white space as one blank, every number, amount and date as "0".

    >>> mask("From $2.50 until 12 May 2026") == mask("from $5 until\\nMarch 3rd, 2027")
    True
    """
    text = " ".join(text.casefold().split())
    masked = _NUMBER.sub("0", text)
    if masked == text and "0" not in text:
        return text
    if not _CALENDAR.isdisjoint(_WORD.findall(masked)):
        masked = _WORD.sub(lambda word: "0" if word[0] in _CALENDAR else word[0], masked)
    return _NUMBERS.sub("0", masked)


def fingerprints(texts: Iterable[str]) -> np.ndarray:
    """64 bits of every paragraph, the same for those that `mask` makes the same: uint64.

    What holds less than two letters besides numbers and dates (a score, a cell of a table) has the fingerprint `WHOLE`, 0,
    which stands for no paragraph.
    """
    from hashlib import blake2b  # late: it brings OpenSSL along

    def fingerprint(masked: str) -> int:
        if not _LETTERS.search(masked):
            return WHOLE
        digest = blake2b(masked.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return int.from_bytes(digest, "little") or 1

    return np.array([fingerprint(mask(text)) for text in texts], np.uint64)
