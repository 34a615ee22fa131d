"""A QR reader of our own, for codes that lie on no plane and that no decoder of hard bits reads.

`structure`, `blocks` and `information` know what ISO/IEC 18004 says a symbol looks like; `repair`
turns soft module values into the one exact symbol that they mean, or into nothing; `reading` has
zxing-cpp read that symbol.
"""
