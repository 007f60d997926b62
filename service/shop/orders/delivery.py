"""Where the shop delivers, and for how much: the 64 districts of Bangladesh."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

IN_DHAKA = 60_00
ELSEWHERE = 120_00
"""Poisha."""

_NAMES = """
bagerhat বাগেরহাট Bagerhat|bandarban বান্দরবান Bandarban|barguna বরগুনা Barguna|barishal বরিশাল Barishal
bhola ভোলা Bhola|bogura বগুড়া Bogura|brahmanbaria ব্রাহ্মণবাড়িয়া Brahmanbaria|chandpur চাঁদপুর Chandpur
chapainawabganj চাঁপাইনবাবগঞ্জ Chapainawabganj|chattogram চট্টগ্রাম Chattogram|chuadanga চুয়াডাঙ্গা Chuadanga
coxs-bazar কক্সবাজার Cox's_Bazar|cumilla কুমিল্লা Cumilla|dhaka ঢাকা Dhaka|dinajpur দিনাজপুর Dinajpur
faridpur ফরিদপুর Faridpur|feni ফেনী Feni|gaibandha গাইবান্ধা Gaibandha|gazipur গাজীপুর Gazipur
gopalganj গোপালগঞ্জ Gopalganj|habiganj হবিগঞ্জ Habiganj|jamalpur জামালপুর Jamalpur|jashore যশোর Jashore
jhalokathi ঝালকাঠি Jhalokathi|jhenaidah ঝিনাইদহ Jhenaidah|joypurhat জয়পুরহাট Joypurhat
khagrachhari খাগড়াছড়ি Khagrachhari|khulna খুলনা Khulna|kishoreganj কিশোরগঞ্জ Kishoreganj
kurigram কুড়িগ্রাম Kurigram|kushtia কুষ্টিয়া Kushtia|lakshmipur লক্ষ্মীপুর Lakshmipur
lalmonirhat লালমনিরহাট Lalmonirhat|madaripur মাদারীপুর Madaripur|magura মাগুরা Magura|manikganj মানিকগঞ্জ Manikganj
meherpur মেহেরপুর Meherpur|moulvibazar মৌলভীবাজার Moulvibazar|munshiganj মুন্সিগঞ্জ Munshiganj
mymensingh ময়মনসিংহ Mymensingh|naogaon নওগাঁ Naogaon|narail নড়াইল Narail|narayanganj নারায়ণগঞ্জ Narayanganj
narsingdi নরসিংদী Narsingdi|natore নাটোর Natore|netrokona নেত্রকোনা Netrokona|nilphamari নীলফামারী Nilphamari
noakhali নোয়াখালী Noakhali|pabna পাবনা Pabna|panchagarh পঞ্চগড় Panchagarh|patuakhali পটুয়াখালী Patuakhali
pirojpur পিরোজপুর Pirojpur|rajbari রাজবাড়ী Rajbari|rajshahi রাজশাহী Rajshahi|rangamati রাঙ্গামাটি Rangamati
rangpur রংপুর Rangpur|satkhira সাতক্ষীরা Satkhira|shariatpur শরীয়তপুর Shariatpur|sherpur শেরপুর Sherpur
sirajganj সিরাজগঞ্জ Sirajganj|sunamganj সুনামগঞ্জ Sunamganj|sylhet সিলেট Sylhet|tangail টাঙ্গাইল Tangail
thakurgaon ঠাকুরগাঁও Thakurgaon
"""


def _read() -> dict[str, tuple[str, str]]:
    entries = [entry.split() for line in _NAMES.strip().splitlines() for entry in line.split("|")]
    return {slug: (bn, en.replace("_", " ")) for slug, bn, en in entries}


DISTRICTS: Mapping[str, tuple[str, str]] = MappingProxyType(_read())
"""Slug → name in Bangla and in English."""


def fee_poisha(district: str) -> int:
    """What delivery to a district costs. KeyError where there is no such district."""
    DISTRICTS[district]
    return IN_DHAKA if district == "dhaka" else ELSEWHERE
