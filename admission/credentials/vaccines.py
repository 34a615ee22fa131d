"""Which product a vaccine code or name means: the rows of the waiting-time table.

Only codes of vaccines against COVID-19 stand here, so a code that is not found proves no dose.
Sources: CVX, the list of the CDC's Immunization Information Systems
(https://www2a.cdc.gov/vaccines/iis/iisstandards/vaccines.asp?rpt=cvx); ICD-11 for Mortality and
Morbidity Statistics, extension codes below XM68M6 (COVID-19 vaccines), as WHO's Digital
Documentation of COVID-19 Certificates lists them.
"""

from __future__ import annotations

from admission.standing import Product

CVX = "http://hl7.org/fhir/sid/cvx"
ICD_11 = "http://id.who.int/icd11/mms"

_CVX = {
    Product.PFIZER: "208 217 218 219 300 301 302 308 309 310 520",
    Product.MODERNA: "207 221 227 228 229 230 311 312 519",
    Product.ASTRAZENECA: "210",
    Product.JANSSEN: "212",
    Product.SPUTNIK_V: "505",
    Product.SINOPHARM: "510",
    Product.SINOVAC: "511",
    Product.OTHER: "211 213 225 226 313 500 501 502 503 504 506 507 508 509",
}
# A row of a class of vaccines (RNA based, inactivated, …) names no product.
_ICD_11 = {
    Product.PFIZER: "XM8NQ0",
    Product.MODERNA: "XM3DT5",
    Product.ASTRAZENECA: "XM4YL8 XM97T2",
    Product.JANSSEN: "XM6QV1",
    Product.SPUTNIK_V: "XM5ZJ4",
    Product.SINOPHARM: "XM8866",
    Product.SINOVAC: "XM7HT3",
    Product.OTHER: (
        "XM68M6 XM0GQ8 XM1NL1 XM1J92 XM9QW8 XM6AT1 XM5JC5 XM3CT4 XM0CX4 XM5DF6 XM1AG7 XM1AU2 "
        "XM1G90 XM2YG8 XM3PG0 XM4EC8 XM52P3 XM5QM6 XM6SZ8 XM85P5 XM97N6 XM9FQ7 XM9T65 XM9TQ1"
    ),
}
_PRODUCTS = {
    (system, code): product
    for system, table in ((CVX, _CVX), (ICD_11, _ICD_11))
    for product, codes in table.items()
    for code in codes.split()
}
# In this order: 'Sputnik Light' is not 'Sputnik V', and one brand has several makers' names.
_NAMES = (
    ("sputnik light", Product.OTHER),
    ("comirnaty", Product.PFIZER),
    ("pfizer", Product.PFIZER),
    ("spikevax", Product.MODERNA),
    ("moderna", Product.MODERNA),
    ("vaxzevria", Product.ASTRAZENECA),
    ("astrazeneca", Product.ASTRAZENECA),
    ("covishield", Product.ASTRAZENECA),
    ("sputnik v", Product.SPUTNIK_V),
    ("gam-covid-vac", Product.SPUTNIK_V),
    ("janssen", Product.JANSSEN),
    ("coronavac", Product.SINOVAC),
    ("sinovac", Product.SINOVAC),
    ("bbibp", Product.SINOPHARM),
    ("abdala", Product.ABDALA),
)


def product_of_code(system: str, code: str) -> Product | None:
    """Return the product of a code of `CVX` or `ICD_11`; None if it is no vaccine against COVID-19.

    `OTHER` is a vaccine against COVID-19 without a row, or a code that names only its class.

    >>> product_of_code(CVX, "208").name, product_of_code(ICD_11, "XM0GQ8").name
    ('PFIZER', 'OTHER')
    >>> product_of_code(CVX, "141") is None
    True
    """
    return _PRODUCTS.get((system, code))


def product_of_name(name: str) -> Product:
    """Return the product of a brand's or maker's name, `OTHER` where it names none of the table.

    >>> product_of_name("COMIRNATY").name, product_of_name("Sputnik Light").name
    ('PFIZER', 'OTHER')
    """
    lower = name.lower()
    return next((product for part, product in _NAMES if part in lower), Product.OTHER)
