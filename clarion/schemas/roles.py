"""The roles of officials of whom letters are asked, as services compare them: lower case, single spaces, no hyphens."""

MAYOR = frozenset({"mayor"})
COUNCIL = frozenset(
    {
        "council member",
        "councilmember",
        "councilman",
        "councilwoman",
        "vice mayor",
        "deputy mayor",
        "mayor pro tem",
        "mayor pro tempore",
    }
)
CITY_MANAGER = frozenset({"city manager", "town manager"})
LETTER_ROLES = MAYOR | COUNCIL | CITY_MANAGER
"""Mayors, council members and city managers."""
