"""Vietnamese names and addresses for synthetic people, from the commonest words of each place."""

from __future__ import annotations

# Repeated in proportion to how common the surname is.
SURNAMES = (
    *("Nguyễn",) * 38,
    *("Trần",) * 11,
    *("Lê",) * 9,
    *("Phạm",) * 7,
    *("Hoàng", "Huỳnh", "Phan") * 4,
    *("Vũ", "Võ", "Đặng", "Bùi") * 2,
    *("Đỗ", "Hồ", "Ngô", "Dương", "Lý", "Đinh", "Trịnh", "Mai"),
)
MIDDLE_MALE = ("Văn", "Hữu", "Đức", "Minh", "Quốc", "Thành", "Công", "Anh", "Gia", "Xuân")
MIDDLE_FEMALE = ("Thị", "Ngọc", "Thị Thanh", "Thị Thu", "Kim", "Thị Mỹ", "Bảo", "Thuỳ", "Thị Hồng")
GIVEN_MALE = (
    *("An", "Bình", "Cường", "Dũng", "Đạt", "Hải", "Hiếu", "Hùng", "Huy", "Khoa", "Long", "Nam"),
    *("Nghĩa", "Phong", "Phúc", "Quân", "Sơn", "Tài", "Thắng", "Thịnh", "Trung", "Tuấn", "Việt"),
)
GIVEN_FEMALE = (
    *("Anh", "Ánh", "Chi", "Dung", "Giang", "Hà", "Hạnh", "Hằng", "Hương", "Huyền", "Lan", "Linh"),
    *("Mai", "Nga", "Nhung", "Oanh", "Phương", "Quyên", "Thảo", "Trang", "Tuyết", "Vân", "Yến"),
)
STREETS = (
    "Lê Lợi",
    "Nguyễn Huệ",
    "Hai Bà Trưng",
    "Điện Biên Phủ",
    "Cách Mạng Tháng Tám",
    "3 Tháng 2",
)


def full_name(number: int, *, female: bool) -> str:
    """Return the name that a non-negative number stands for; equal numbers give equal names.

    >>> full_name(0, female=False), full_name(0, female=True)
    ('Nguyễn Văn An', 'Nguyễn Thị Anh')
    """
    number, surname = divmod(number, len(SURNAMES))
    middles, givens = (MIDDLE_FEMALE, GIVEN_FEMALE) if female else (MIDDLE_MALE, GIVEN_MALE)
    number, middle = divmod(number, len(middles))
    return f"{SURNAMES[surname]} {middles[middle]} {givens[number % len(givens)]}"


def address(number: int, district: int) -> str:
    """Return an address of Ho Chi Minh City for a non-negative number and a district from 1."""
    number, street = divmod(number, len(STREETS))
    return f"{number % 400 + 1} {STREETS[street]}, Quận {district}, TP. Hồ Chí Minh"
