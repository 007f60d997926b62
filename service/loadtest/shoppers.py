"""What shoppers do and type: orders, searches, addresses. All randomness comes from the generator given."""

from __future__ import annotations

import random
import secrets
from collections.abc import Sequence
from typing import Any

SEARCHES = ("শাড়ি", "জামদানি", "মধু", "চা", "পাঞ্জাবি", "saree", "phone", "শিশু", "লুঙ্গি", "নেই এমন কিছু")
NAMES = ("ক্রেতা এক", "ক্রেতা দুই", "Shopper Three", "ক্রেতা চার")
ADDRESSES = ("বাড়ি ১২, সড়ক ৫, ধানমন্ডি", "গ্রাম: উত্তরপাড়া, ডাকঘর: সদর", "Flat 4B, House 7, Road 11, Banani")
DISTRICTS = ("dhaka", "chattogram", "sylhet", "khulna", "rajshahi", "rangpur")


def key() -> str:
    """A new Idempotency-Key, as the pages make one for each order."""
    return secrets.token_urlsafe(18)


def client_address(number: int) -> str:
    """The address of shopper `number`, as the edge reports it: limits are for each."""
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def phone(generator: random.Random) -> str:
    """A well-formed mobile number."""
    return f"01{generator.randint(3, 9)}{generator.randrange(10**8):08d}"


def order(generator: random.Random, products: Sequence[str], most: int = 3) -> dict[str, Any]:
    """The body of an order of `products`, up to `most` pieces of each."""
    return {
        "lines": [{"product": slug, "quantity": generator.randint(1, most)} for slug in products],
        "payment": "cod",
        "language": generator.choice(("bn", "bn", "bn", "en")),
        "shipping": {
            "name": generator.choice(NAMES),
            "phone": phone(generator),
            "district": generator.choice(DISTRICTS),
            "address": generator.choice(ADDRESSES),
        },
    }
