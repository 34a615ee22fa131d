"""The words of `chot rulebook` in both languages: what a rulebook's keys and names mean."""

from __future__ import annotations

from admission.certlogic_words import Language
from admission.site import Place

WORDS = {
    "directive": ("Chỉ thị", "Directive"),
    "place": ("Địa điểm", "Place"),
    "green": ("Thẻ xanh", "Green card"),
    "yellow": ("Thẻ vàng", "Yellow card"),
    "none": ("Không có thẻ", "No card"),
    "no_record": ("Không có dữ liệu", "Nobody on record"),
    "admit": ("qua", "pass"),
    "refer": ("gặp cán bộ", "officer"),
    "refuse": ("dừng", "stop"),
    "also": ("Yêu cầu thêm", "Asked for as well"),
    "in_force": ("Hiệu lực", "In force"),
    "districts": ("Mã quận", "District codes"),
    "everywhere": ("mọi nơi", "everywhere"),
    "stale": ("Dữ liệu quá hạn sau (giờ)", "Knowledge is stale after (hours)"),
    "course": ("Phác đồ", "Full course"),
    "doses": ("mũi", "doses"),
    "days": ("ngày chờ", "days of waiting"),
    "where": ("trong đó", "where"),
    "declaration": ("tờ khai y tế", "health declaration"),
    "test": ("xét nghiệm âm tính", "negative test"),
    "permit": ("giấy đi đường", "movement permit"),
    "roster": ("danh sách của đơn vị", "the employer's list"),
    "visitor": ("giấy khách", "visitor's pass"),
    "enough": ("là đủ để vào", "is enough to enter"),
    "until": ("đến", "until"),
    "anti_passback": ("Không qua hai lần trong (giây)", "Passes once within (seconds)"),
    "except": ("trừ", "except for"),
    "certificates": ("Chứng nhận nước ngoài", "Certificates from abroad"),
    "facts_count": ("tính như dữ liệu đã ghi nhận", "count as if on record"),
    "rules": ("số quy tắc phải đạt", "rules to fulfil"),
    "value_sets": ("danh mục giá trị", "value sets"),
    "gives": ("được cấp", "then give the"),
    "texts": ("Câu chữ riêng", "Own words"),
}
PLACES = {
    Place.CONTROL_STATION: ("chốt kiểm soát", "control station"),
    Place.SUPERMARKET: ("siêu thị", "supermarket"),
    Place.CONVENIENCE_STORE: ("cửa hàng tiện lợi", "convenience store"),
    Place.FOOD_OUTLET: ("cửa hàng thực phẩm", "food outlet"),
    Place.HOSPITAL: ("bệnh viện", "hospital"),
    Place.CLINIC: ("phòng khám", "clinic"),
    Place.SCHOOL: ("trường học", "school"),
    Place.OFFICE: ("văn phòng", "office"),
    Place.FACTORY: ("nhà máy", "factory"),
    Place.OUTDOOR_PUBLIC_PLACE: ("nơi công cộng ngoài trời", "outdoor public place"),
    Place.TRANSPORT: ("phương tiện giao thông", "transport"),
}


def word(name: str, language: Language) -> str:
    """Return a word of the explanation."""
    return WORDS[name][0 if language == "vi" else 1]


def place_word(place: Place, language: Language) -> str:
    """Return a kind of place in words."""
    return PLACES[place][0 if language == "vi" else 1]
