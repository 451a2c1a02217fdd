"""Ids of offers in sentences, replaced by what people call them."""

import re

from tools.domain.datasets import Dataset

OFFER = re.compile(r"[\w.\-]+\|[\w.\-]+\|[\w.\-]*\|[\w.\-]+")


def in_plain_words(text: str, dataset: Dataset) -> str:
    """The text with each offer id as its supplier's name and the way of transport; unknown ids stay."""
    if "|" not in text:
        return text

    def name(found: re.Match[str]) -> str:
        offer = next((known for known in dataset.offers if known.offer_id == found[0]), None)
        if offer is None:
            return found[0]
        supplier = dataset.suppliers[offer.supplier_id].name or offer.supplier_id
        return f"{supplier} by {offer.transport_mode}" if offer.transport_mode else supplier

    return OFFER.sub(name, text)
