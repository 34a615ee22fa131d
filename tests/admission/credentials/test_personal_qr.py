"""Protects the reading of the national personal QR: who it names, and that masks name nobody."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admission.credential import UNRECOGNISED, CredentialKind, Holder
from admission.credentials import parse, personal_qr
from admission.identity import Identifier, IdentifierKind
from tests.worlds import a_reading

SAMPLE = "001093029317|NGUYEN VAN A|1987-01-18|0|162979388586171100|<1<00<0123232422"
QID = Identifier(IdentifierKind.QID, "162979388586171100")
CCCD = Identifier(IdentifierKind.DOCUMENT, "001093029317")


def test_the_decisions_own_sample_names_its_holder_by_qid_first() -> None:
    credential = parse(a_reading(SAMPLE))
    assert credential.kind is CredentialKind.PERSONAL_QR
    assert credential.identifiers == (QID, CCCD)
    assert credential.holder == Holder("NGUYEN VAN A", date(1987, 1, 18))


@pytest.mark.parametrize(
    ("number", "value"),
    [
        ("001093029317", "001093029317"),
        ("023456789", "023456789"),
        ("c1234567", "C1234567"),
        ("X12AB34CD", "X12AB34CD"),
        ("L-898.902 C3", "L898902C3"),
    ],
)
def test_citizen_card_old_identity_card_and_passport_numbers_are_documents(
    number: str, value: str
) -> None:
    credential = parse(a_reading(SAMPLE.replace("001093029317", number)))
    assert credential.identifiers == (QID, Identifier(IdentifierKind.DOCUMENT, value))


@pytest.mark.parametrize(
    "born", ["", "1987-02-30", "1987-**-**", "18011987", "18-01-1987", "1987-1-18", "xxxx-xx-xx"]
)
def test_a_birth_date_that_is_none_is_unknown_and_no_refusal(born: str) -> None:
    credential = parse(a_reading(SAMPLE.replace("1987-01-18", born)))
    assert credential.identifiers == (QID, CCCD)
    assert credential.holder == Holder("NGUYEN VAN A", None)


def test_masked_fields_are_tolerated_and_identify_nobody() -> None:
    masked_number = parse(a_reading(SAMPLE.replace("001093029317", "001093******")))
    assert masked_number.identifiers == (QID,)
    masked_qid = parse(a_reading(SAMPLE.replace("162979388586171100", "1629**************")))
    assert masked_qid.identifiers == (CCCD,)
    masked_name = parse(a_reading(SAMPLE.replace("NGUYEN VAN A", "N***** V** A")))
    assert masked_name.holder is None
    masked_ext = parse(a_reading(SAMPLE.replace("<1<00<0123232422", "<*<**<******2422")))
    assert masked_ext.identifiers == (QID, CCCD)


def test_a_code_with_every_number_masked_is_recognised_and_names_nobody() -> None:
    credential = parse(a_reading("001093******|NGUYEN VAN A|1987-**-**|0|1629****|<1"))
    assert credential.kind is CredentialKind.PERSONAL_QR
    assert credential.identifiers == ()


@pytest.mark.parametrize(
    ("number", "ambiguous"),
    [("271450000", False), ("271450001", True), ("271500000", True), ("271500001", False)],
)
def test_identity_card_numbers_that_were_issued_twice_are_no_key(
    number: str, ambiguous: bool
) -> None:
    credential = parse(a_reading(SAMPLE.replace("001093029317", number)))
    assert (len(credential.identifiers) == 1) is ambiguous


@pytest.mark.parametrize(
    "text",
    [
        SAMPLE.rsplit("|", 1)[0],
        SAMPLE.replace("|0|", "|2|"),
        SAMPLE.replace("|0|", "||"),
        SAMPLE.replace("NGUYEN VAN A", ""),
        SAMPLE.replace("NGUYEN VAN A", "A" * 129),
        SAMPLE.replace("001093029317", "001'; DROP"),
        SAMPLE.replace("162979388586171100", "1" * 37),
        SAMPLE.replace("1987-01-18", "1987-01-18T00:00"),
        SAMPLE + "<" * 16,
        "||||| ",
        "|NGUYEN VAN A|1987-01-18|0||",
    ],
)
def test_what_breaks_the_format_is_unrecognised(text: str) -> None:
    assert parse(a_reading(text)) == UNRECOGNISED


names = st.lists(
    st.text("ABCDEGHIKLMNOPQRSTUVXY", min_size=1, max_size=7), min_size=1, max_size=6
).map(" ".join)


@given(
    number=st.integers(0, 10**12 - 1).map("{:012}".format)
    | st.integers(0, 10**7 - 1).map("C{:07}".format),
    name=names,
    born=st.dates(date(1900, 1, 1), date(2030, 1, 1)),
    qid=st.integers(0, 10**18 - 1).map("{:018}".format),
    by_another=st.booleans(),
)
def test_what_is_rendered_reads_back(
    number: str, name: str, born: date, qid: str, by_another: bool
) -> None:
    text = personal_qr.render(
        document=number, name=name, born=born, qid=qid, declared_by_another=by_another
    )
    credential = parse(a_reading(text))
    assert credential.kind is CredentialKind.PERSONAL_QR
    assert [i.value for i in credential.identifiers] == [qid, number]
    assert credential.holder == Holder(name, born)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "A|B"},
        {"document": "no\x00number"},
        {"qid": "", "document": "12**56"},
    ],
)
def test_nothing_is_rendered_that_would_not_read_back(wrong: dict[str, str]) -> None:
    parts = {"document": "001093029317", "name": "NGUYEN VAN A", "qid": "162979388586171100"}
    with pytest.raises(ValueError, match="names somebody"):
        personal_qr.render(**{**parts, **wrong}, born=date(1987, 1, 18))
