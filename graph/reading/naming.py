"""Names for people: ids of offers in sentences by what they are called, and ids that a misspelt one may mean."""

import re
from collections.abc import Mapping
from difflib import get_close_matches

from tools.domain.datasets import Catalogue, Dataset

NEAR_MATCHES = 5
Named = Dataset | Catalogue
"""What tells the names of suppliers and offers."""
OFFER = re.compile(r"[\w.\-]+\|[\w.\-]+\|[\w.\-]*\|[\w.\-]+")


def in_plain_words(text: str, dataset: Named) -> str:
    """The text with each offer id as its supplier's name and the way of transport; unknown ids stay."""
    if "|" not in text:
        return text

    def name(found: re.Match[str]) -> str:
        offer = dataset.offer_of.get(found[0])
        if offer is None:
            return found[0]
        supplier = dataset.suppliers[offer.supplier_id].name or offer.supplier_id
        return f"{supplier} by {offer.transport_mode}" if offer.transport_mode else supplier

    return OFFER.sub(name, text)


def near_ids(wanted: str, names: Mapping[str, str]) -> list[str]:
    """Ids that begin like the wanted one, look like it, or whose name looks like it or holds it."""
    wanted = wanted.casefold()
    by_name = {name.casefold(): known for known, name in names.items() if name}
    by_fold = {known.casefold(): known for known in names}
    near = [known for fold, known in by_fold.items() if fold.startswith(wanted)]
    near += [by_fold[found] for found in get_close_matches(wanted, by_fold, NEAR_MATCHES, 0.6)]
    near += [by_name[found] for found in get_close_matches(wanted, by_name, NEAR_MATCHES, 0.5)]
    near += [known for name, known in by_name.items() if wanted in name]
    return list(dict.fromkeys(near))[:NEAR_MATCHES]
