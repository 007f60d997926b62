"""Draws the pictures of `shop seed`: one drawing for each kind of goods, in the colours that are sold.

`python draw.py` writes every picture that seed.json names beside this file, and takes away those that it no
longer names. The lines are a little crooked, as by hand, and the same every time.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Sequence
from pathlib import Path

HERE = Path(__file__).parent
SEED = HERE.parents[1] / "shop" / "catalogue" / "seed.json"

INK, CREAM, GOLD, LEAF, STEEL = "#2b2622", "#fff6e5", "#e3a93c", "#5b8c4a", "#c9d1d6"

Point = tuple[float, float]

# colour: ground, main, dark, light
PALETTES = {
    "red": ("#fbe9e3", "#c8373a", "#8f1f2a", "#ee8f83"),
    "green": ("#e8f2e4", "#2f8257", "#1c5a3d", "#94c9a2"),
    "blue": ("#e4eef7", "#2f68a8", "#1d4477", "#93bfe6"),
    "yellow": ("#fdf3d7", "#e5b02f", "#a8761a", "#f7dc8b"),
    "pink": ("#fce8ef", "#d9558a", "#9c2f60", "#f5adc8"),
    "black": ("#ecebe8", "#3d3b40", "#1e1d21", "#8b8990"),
    "white": ("#e9eef0", "#f7f4ec", "#bdb6a6", "#ffffff"),
    "orange": ("#fdeedd", "#e0762c", "#a34f16", "#f6b784"),
    "purple": ("#f0e9f6", "#7c4a9e", "#512c6d", "#bd9cd4"),
    "brown": ("#f4ebe1", "#8f5a36", "#5f3a21", "#c99a73"),
}


class Sketch:
    """A picture of 400 × 300 in the making."""

    def __init__(self, name: str, colour: str) -> None:
        self.ground, self.main, self.dark, self.light = PALETTES[colour]
        self._random = random.Random(name)  # noqa: S311 -- crooked lines, not secrets
        self._parts: list[str] = []

    def shape(self, points: Sequence[Point], fill: str) -> None:
        """An area with corners; its edges bow a little."""
        path = f"M{_p(*points[0])}"
        for (x, y), (to_x, to_y) in zip(points, [*points[1:], points[0]], strict=True):
            bend = self._random.uniform(-0.02, 0.02)
            bow = ((x + to_x) / 2 - (to_y - y) * bend, (y + to_y) / 2 + (to_x - x) * bend)
            path += "q" + _by((x, y), bow, (to_x, to_y))
        self._parts.append(f'<path d="{path}Z" fill="{fill}"/>')

    def box(self, x: float, y: float, width: float, height: float, fill: str) -> None:
        """A rectangle."""
        self.shape([(x, y), (x + width, y), (x + width, y + height), (x, y + height)], fill)

    def smooth(self, points: Sequence[Point], fill: str) -> None:
        """An area without corners."""
        self._parts.append(f'<path d="{_curve(points, closed=True)}Z" fill="{fill}"/>')

    def oval(self, x: float, y: float, width: float, height: float, fill: str) -> None:
        """An ellipse around (x, y), given half its width and height."""
        around = [(math.cos(turn * math.pi / 4), math.sin(turn * math.pi / 4)) for turn in range(8)]
        by = [self._random.uniform(0.97, 1.03) for _ in around]
        self.smooth(
            [
                (x + width * cos * off, y + height * sin * off)
                for (cos, sin), off in zip(around, by, strict=True)
            ],
            fill,
        )

    def line(self, points: Sequence[Point], colour: str = INK, width: int = 4) -> None:
        """A stroke through points."""
        more = ("" if colour == INK else f' stroke="{colour}"') + (
            "" if width == 4 else f' stroke-width="{width}"'
        )
        self._parts.append(f'<path d="{_curve(points, closed=False)}"{more}/>')

    def dots(self, points: Sequence[Point], radius: float, colour: str) -> None:
        """Small discs without an outline."""
        path = "".join(f"M{_p(x, y)}h.1" for x, y in points)
        self._parts.append(f'<path d="{path}" stroke="{colour}" stroke-width="{round(radius * 2)}"/>')

    def svg(self, title: str) -> str:
        """The picture."""
        return (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 300" width="400" '
            f'height="300" role="img"><title>{title}</title><path fill="{self.ground}" d="M0 0h400v300H0z"/>'
            f'<path fill="#fff" opacity=".55" d="{_curve(BLOB, closed=True)}Z"/>'
            f'<ellipse cx="200" cy="266" rx="120" ry="9" fill="{INK}" opacity=".13"/>'
            f'<g fill="none" stroke="{INK}" stroke-width="4" stroke-linejoin="round" stroke-linecap="round">'
            f"{''.join(self._parts)}</g></svg>\n"
        )


BLOB: list[Point] = [(70, 90), (170, 38), (300, 52), (358, 150), (318, 244), (190, 262), (72, 234), (40, 160)]


def _p(x: float, y: float) -> str:
    return f"{round(x)} {round(y)}"


def _by(start: Point, *points: Point) -> str:
    """Points as steps from `start`, as short as SVG allows."""
    x, y = round(start[0]), round(start[1])
    steps = [str(step) for to_x, to_y in points for step in (round(to_x) - x, round(to_y) - y)]
    return " ".join(steps).replace(" -", "-")


def _curve(points: Sequence[Point], *, closed: bool) -> str:
    """A path through points (Catmull-Rom, as cubic Béziers)."""
    count = len(points)

    def at(place: int) -> Point:
        return points[place % count] if closed else points[min(max(place, 0), count - 1)]

    path = f"M{_p(*points[0])}"
    for place in range(count if closed else count - 1):
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = (at(place + step) for step in (-1, 0, 1, 2))
        leave, arrive = (bx + (cx - ax) / 6, by + (cy - ay) / 6), (cx - (dx - bx) / 6, cy - (dy - by) / 6)
        path += "c" + _by((bx, by), leave, arrive, (cx, cy))
    return path


def grid(left: float, top: float, columns: int, rows: int, step: float, shift: float = 0) -> list[Point]:
    """Points in rows; every other row is moved by `shift`."""
    return [
        (left + column * step + (shift if row % 2 else 0), top + row * step)
        for row in range(rows)
        for column in range(columns)
    ]


def flower(s: Sketch, x: float, y: float, size: float, colour: str) -> None:
    """Five petals around a golden middle."""
    turns = [turn * math.tau / 5 for turn in range(5)]
    s.dots([(x + size * math.sin(t), y - size * math.cos(t)) for t in turns], size * 0.62, colour)
    s.dots([(x, y)], size * 0.45, GOLD)


# ---- clothes


def saree(s: Sketch) -> None:
    """Folded, its end hanging over with the border."""
    s.shape([(80, 200), (320, 192), (326, 254), (76, 258)], s.dark)
    s.shape([(76, 120), (318, 110), (324, 226), (80, 232)], s.main)
    s.dots(grid(104, 136, 4, 3, 32, 16), 5, s.light)
    s.line([(82, 214), (200, 211), (322, 207)], GOLD, 9)
    s.shape([(216, 62), (306, 76), (300, 262), (206, 256)], s.main)
    s.shape([(208, 216), (302, 222), (300, 262), (206, 256)], GOLD)
    s.line([(210, 226), (254, 229), (300, 232)], s.dark)
    s.dots(grid(226, 246, 4, 1, 20), 4, s.dark)
    for x, y in ((242, 100), (276, 136), (240, 164), (272, 192)):
        flower(s, x, y, 8, s.light)
    s.line([(228, 66), (224, 160), (218, 214)], GOLD, 6)
    s.line([(294, 76), (291, 150), (290, 218)], GOLD, 6)


def garment(s: Sketch, hem: float, flare: float, sleeve: float) -> None:
    """A body down to `hem` that widens by `flare`, with sleeves so long."""
    for side in (-1, 1):
        s.shape(
            [
                (200 + side * 42, 56),
                (200 + side * (72 + sleeve * 0.5), 84 + sleeve),
                (200 + side * (44 + sleeve * 0.45), 98 + sleeve),
                (200 + side * 46, 118),
            ],
            s.main,
        )
    s.shape(
        [(160, 52), (240, 52), (250, 120), (252 + flare, hem), (148 - flare, hem), (150, 120)],
        s.main,
    )


def panjabi(s: Sketch) -> None:
    """Long, with a placket and a band collar."""
    garment(s, 262, 14, 72)
    s.shape([(180, 44), (220, 44), (224, 58), (200, 66), (176, 58)], s.light)
    s.shape([(190, 62), (210, 62), (210, 142), (200, 150), (190, 142)], s.light)
    s.dots([(200, 80), (200, 102), (200, 124)], 4, GOLD)
    s.line([(174, 76), (170, 98), (172, 122)], GOLD, 4)
    s.line([(226, 76), (230, 98), (228, 122)], GOLD, 4)
    s.line([(146, 200), (144, 236), (140, 258)], s.dark)
    s.line([(254, 200), (256, 236), (260, 258)], s.dark)


def shirt(s: Sketch) -> None:
    """Short, with a collar, a pocket and buttons."""
    garment(s, 226, 2, 26)
    s.shape([(170, 44), (200, 74), (186, 88), (160, 54)], s.light)
    s.shape([(230, 44), (200, 74), (214, 88), (240, 54)], s.light)
    s.line([(200, 84), (201, 150), (200, 222)], s.dark)
    s.dots([(200, 104), (200, 136), (200, 168), (200, 200)], 4, CREAM)
    s.box(216, 112, 26, 28, s.light)


def kurti(s: Sketch) -> None:
    """Waisted and flared, flowers around the hem."""
    garment(s, 250, 34, 46)
    s.smooth([(178, 48), (222, 48), (214, 78), (200, 92), (186, 78)], s.light)
    s.line([(150, 128), (200, 136), (250, 128)], s.dark)
    s.line([(120, 232), (200, 240), (280, 232)], GOLD, 7)
    for x, y in ((150, 206), (184, 214), (218, 214), (252, 206)):
        flower(s, x, y, 9, s.light)
    s.dots(grid(170, 154, 4, 1, 20), 4, GOLD)


def frock(s: Sketch) -> None:
    """A child's, with a ribbon."""
    s.shape([(162, 70), (238, 70), (240, 136), (160, 136)], s.main)
    s.smooth([(162, 70), (132, 82), (130, 108), (160, 106)], s.light)
    s.smooth([(238, 70), (268, 82), (270, 108), (240, 106)], s.light)
    s.smooth([(160, 136), (240, 136), (282, 228), (250, 252), (200, 242), (150, 252), (118, 228)], s.main)
    s.box(156, 130, 88, 18, s.dark)
    s.smooth([(200, 140), (176, 126), (172, 156)], GOLD)
    s.smooth([(200, 140), (224, 126), (228, 156)], GOLD)
    s.dots(grid(160, 178, 5, 2, 22, 10), 5, s.light)


def tupi(s: Sketch) -> None:
    """A round cap with stitches."""
    s.smooth([(100, 214), (108, 134), (200, 92), (292, 134), (300, 214), (200, 232)], s.main)
    s.smooth([(98, 188), (200, 204), (302, 188), (304, 232), (200, 252), (96, 232)], s.light)
    s.dots(grid(122, 222, 7, 1, 26), 6, s.dark)
    for x in (140, 200, 260):
        flower(s, x, 160 - (x == 200) * 14, 12, s.dark)
    s.dots([(200, 96)], 6, GOLD)


def _fold(s: Sketch, fill: str) -> None:
    s.shape([(84, 198), (316, 192), (322, 248), (80, 254)], s.dark)
    s.shape([(80, 150), (318, 144), (320, 204), (84, 210)], s.light)
    s.shape([(84, 96), (312, 90), (318, 156), (78, 162)], fill)


def lungi(s: Sketch) -> None:
    """Folded, checked."""
    _fold(s, s.main)
    for x in (120, 160, 200, 240, 280):
        s.line([(x, 96), (x + 1, 126), (x, 158)], s.light, 5)
        s.line([(x, 150), (x + 1, 180), (x, 204)], s.main, 5)
    for y in (112, 138):
        s.line([(86, y + 3), (200, y), (312, y - 2)], s.dark, 5)
    s.line([(84, 182), (200, 178), (316, 176)], s.main, 5)


def gamcha(s: Sketch) -> None:
    """Hung over a line, with fringes."""
    s.line([(40, 74), (200, 86), (360, 72)])
    s.shape([(120, 78), (282, 78), (288, 238), (114, 238)], s.main)
    for x in (146, 174, 202, 230, 258):
        s.line([(x, 82), (x + 1, 160), (x, 236)], CREAM, 6)
    for y in (112, 146, 180, 212):
        s.line([(118, y), (200, y + 2), (284, y)], s.dark, 6)
    for x in range(122, 288, 18):
        s.line([(x, 240), (x - 2, 256)])


def shawl(s: Sketch) -> None:
    """Draped, with paisleys and fringes."""
    s.smooth(
        [(108, 66), (200, 54), (292, 66), (318, 150), (300, 236), (200, 246), (100, 236), (82, 150)], s.main
    )
    s.line([(126, 66), (112, 150), (132, 238)], s.dark)
    s.line([(274, 66), (288, 150), (268, 238)], s.dark)
    s.line([(98, 216), (200, 226), (302, 216)], GOLD, 8)
    for x, y in ((160, 110), (236, 116), (198, 164)):
        s.smooth([(x, y - 24), (x + 18, y + 4), (x, y + 20), (x - 16, y + 4), (x - 8, y - 10)], s.light)
        s.dots([(x, y + 4)], 5, GOLD)
    for x in range(112, 296, 20):
        s.line([(x, 244), (x - 3, 262)])


def sheet(s: Sketch) -> None:
    """A folded bed sheet and a pillow."""
    _fold(s, s.main)
    s.smooth([(112, 62), (200, 52), (290, 60), (302, 98), (200, 112), (100, 100)], s.light)
    flower(s, 170, 82, 9, s.main)
    flower(s, 232, 84, 9, s.main)
    for x in (116, 164, 212, 260, 298):
        flower(s, x, 134, 8, s.light)
    s.line([(84, 226), (200, 222), (318, 220)], s.light)


def kantha(s: Sketch) -> None:
    """A quilt spread out: a lotus in the middle, running stitches around."""
    s.shape([(64, 68), (336, 60), (342, 250), (58, 254)], s.main)
    s.shape([(90, 90), (312, 84), (316, 228), (86, 232)], CREAM)
    for turn in range(8):
        a = turn * math.pi / 4
        s.oval(200 + 34 * math.cos(a), 158 + 34 * math.sin(a), 15, 15, s.dark if turn % 2 else s.light)
    s.oval(200, 158, 18, 18, GOLD)
    for x, y in ((118, 116), (284, 112), (118, 206), (286, 204)):
        flower(s, x, y, 10, s.dark)
    s.dots(grid(84, 76, 13, 1, 20), 3, s.light)
    s.dots(grid(80, 242, 13, 1, 20), 3, s.light)


def prayer_mat(s: Sketch) -> None:
    """With an arch and fringes."""
    s.shape([(126, 54), (276, 54), (282, 246), (120, 246)], s.main)
    s.shape([(142, 72), (260, 72), (264, 230), (138, 230)], s.light)
    s.smooth([(152, 222), (152, 136), (200, 84), (250, 136), (252, 222)], s.dark)
    s.line([(200, 96), (200, 128)], GOLD)
    s.smooth([(188, 130), (212, 130), (208, 156), (192, 156)], GOLD)
    for x in range(128, 284, 16):
        s.line([(x, 248), (x, 260)])
        s.line([(x, 52), (x, 40)])


# ---- things to wear and carry


def shoe(s: Sketch) -> None:
    """From the side, with laces."""
    s.smooth([(78, 226), (84, 122), (136, 112), (166, 150), (238, 178), (316, 196), (332, 230)], s.main)
    s.shape([(74, 224), (336, 226), (334, 252), (78, 254)], CREAM if s.main != "#f7f4ec" else s.dark)
    s.smooth([(84, 122), (136, 112), (142, 134), (90, 146)], s.light)
    for x, y in ((160, 146), (184, 160), (210, 170)):
        s.line([(x, y), (x + 14, y + 16)], CREAM if s.main != "#f7f4ec" else s.dark, 5)
    s.line([(96, 190), (140, 196), (170, 222)], s.dark)


def sandal(s: Sketch) -> None:
    """A pair from above."""
    for x in (140, 258):
        s.smooth(
            [
                (x, 62),
                (x + 42, 92),
                (x + 34, 160),
                (x + 36, 232),
                (x, 254),
                (x - 36, 232),
                (x - 34, 160),
                (x - 42, 92),
            ],
            s.light,
        )
        s.smooth([(x - 44, 104), (x, 82), (x + 44, 104), (x + 38, 136), (x, 116), (x - 38, 136)], s.main)
        s.smooth([(x - 40, 178), (x, 164), (x + 40, 178), (x + 40, 202), (x, 188), (x - 40, 202)], s.main)
        s.dots([(x, 100), (x, 176)], 6, GOLD)


def bag(s: Sketch) -> None:
    """A shopping bag of jute."""
    s.line([(150, 112), (160, 56), (240, 56), (250, 112)], s.dark, 9)
    s.shape([(102, 108), (298, 108), (316, 256), (86, 256)], s.light)
    s.dots(grid(116, 126, 10, 3, 18, 9), 2, s.dark)
    s.box(94, 178, 214, 40, s.main)
    for x in (130, 166, 202, 238, 274):
        flower(s, x, 198, 9, CREAM)


def backpack(s: Sketch) -> None:
    """With a front pocket."""
    s.line([(168, 74), (176, 44), (224, 44), (232, 74)], s.dark, 9)
    s.smooth(
        [(112, 120), (140, 66), (200, 58), (260, 66), (288, 120), (294, 240), (200, 260), (106, 240)], s.main
    )
    s.smooth([(138, 172), (200, 162), (262, 172), (264, 238), (200, 248), (136, 238)], s.light)
    s.line([(132, 130), (200, 120), (268, 130)], s.dark, 6)
    s.line([(150, 190), (200, 184), (250, 190)], s.dark)
    s.dots([(200, 124), (242, 194)], 6, GOLD)


def bangles(s: Sketch) -> None:
    """A dozen, some upright."""
    for x, colour in (
        (128, s.dark),
        (156, s.main),
        (184, s.light),
        (212, s.main),
        (240, GOLD),
        (266, s.dark),
    ):
        s.line([(x, 80), (x - 30, 160), (x, 240), (x + 30, 160), (x, 80)], INK, 14)
        s.line([(x, 80), (x - 30, 160), (x, 240), (x + 30, 160), (x, 80)], colour, 8)


def necklace(s: Sketch) -> None:
    """Pearls on a stand."""
    s.smooth(
        [(132, 256), (150, 150), (176, 96), (180, 54), (220, 54), (224, 96), (250, 150), (268, 256)], s.main
    )
    pearls = [(200 + 62 * math.cos(a), 124 + 82 * math.sin(a)) for a in (i * math.pi / 12 for i in range(13))]
    s.dots(pearls, 11, INK)
    s.dots(pearls, 8, "#fffdf6")
    s.oval(200, 222, 14, 16, GOLD)


# ---- food


def sack(s: Sketch) -> None:
    """Full, tied at the top, a bowl of grain before it."""
    s.smooth(
        [
            (120, 96),
            (168, 84),
            (162, 52),
            (238, 50),
            (232, 84),
            (282, 98),
            (296, 180),
            (284, 252),
            (116, 252),
            (104, 180),
        ],
        CREAM,
    )
    s.box(118, 130, 166, 76, s.main)
    s.line([(164, 84), (200, 92), (236, 84)], s.dark, 7)
    for x in (160, 200, 240):
        s.line([(x, 192), (x, 152)], CREAM, 4)
        s.dots([(x - 8, 168), (x + 8, 162), (x - 7, 154), (x + 7, 150), (x, 144)], 5, s.light)
    s.smooth([(226, 222), (330, 222), (312, 258), (246, 258)], s.dark)
    s.smooth([(228, 222), (254, 204), (302, 204), (328, 222)], s.light)


def pouch(s: Sketch) -> None:
    """A sealed packet with an empty label."""
    s.shape([(122, 58), (278, 58), (270, 90), (290, 252), (110, 252), (130, 90)], s.main)
    s.line([(130, 88), (200, 92), (270, 88)], s.dark)
    for x in range(134, 276, 14):
        s.line([(x, 62), (x, 80)], s.dark, 3)
    s.oval(200, 172, 58, 54, CREAM)


def spice(s: Sketch) -> None:
    """A packet with chillies, a heap of powder before it."""
    pouch(s)
    s.smooth([(168, 150), (190, 158), (226, 196), (234, 214), (206, 206), (174, 174)], s.main)
    s.line([(168, 150), (158, 138)], LEAF, 7)
    s.smooth([(230, 258), (262, 218), (288, 206), (314, 222), (344, 258)], s.light)
    s.dots([(268, 240), (290, 226), (306, 244)], 3, s.dark)


def tea(s: Sketch) -> None:
    """A packet with two leaves and a bud, and a glass of tea."""
    pouch(s)
    s.line([(200, 214), (200, 152)], LEAF, 5)
    s.smooth([(200, 180), (162, 164), (156, 144), (190, 150)], LEAF)
    s.smooth([(200, 180), (238, 164), (244, 144), (210, 150)], LEAF)
    s.smooth([(200, 156), (190, 136), (200, 120), (210, 136)], "#94c9a2")
    s.shape([(272, 182), (338, 182), (328, 258), (282, 258)], "#f3e3d0")
    s.shape([(276, 204), (335, 204), (328, 256), (283, 256)], "#b8612a")
    s.line([(294, 172), (288, 158), (298, 146)], s.dark)
    s.line([(316, 172), (310, 158), (320, 146)], s.dark)


def semai(s: Sketch) -> None:
    """A bowl heaped with fine strands."""
    s.smooth([(88, 172), (130, 118), (200, 96), (272, 118), (312, 172)], s.light)
    for x in (112, 150, 190, 230, 262):
        s.line([(x, 166), (x + 8, 130), (x + 30, 122), (x + 26, 158)], s.dark, 3)
    s.smooth([(74, 170), (326, 170), (296, 244), (200, 262), (104, 244)], CREAM)
    s.line([(86, 194), (200, 202), (314, 194)], s.main, 9)
    for x in (142, 200, 258):
        flower(s, x, 226, 9, s.main)
    s.dots([(170, 124), (222, 118), (246, 144)], 6, "#8f1f2a")


def sweets(s: Sketch) -> None:
    """Round ones, piled on a plate."""
    s.smooth([(58, 222), (200, 206), (342, 222), (290, 256), (110, 256)], STEEL)
    for x, y in (
        (120, 196),
        (174, 202),
        (228, 202),
        (282, 196),
        (148, 154),
        (202, 156),
        (254, 152),
        (176, 112),
        (228, 112),
    ):
        s.oval(x, y, 31, 29, s.main)
        s.line([(x - 14, y - 12), (x - 4, y - 18)], s.light, 6)
    s.dots([(176, 92), (228, 92), (202, 138)], 5, LEAF)


def doi(s: Sketch) -> None:
    """An earthen bowl of yoghurt, tied with a leaf."""
    s.smooth([(84, 136), (316, 136), (300, 214), (250, 254), (150, 254), (100, 214)], "#b5653a")
    s.oval(200, 134, 122, 34, "#8c4526")
    s.oval(200, 134, 100, 24, "#fbe9cf")
    s.line([(140, 132), (190, 142), (250, 128)], "#d9a877", 5)
    s.line([(98, 180), (200, 194), (302, 180)], GOLD, 6)
    s.line([(110, 214), (200, 228), (290, 214)], "#8c4526", 5)


def jar(s: Sketch) -> None:
    """Glass, with a cloth over the lid."""
    s.smooth([(128, 112), (272, 112), (286, 150), (282, 250), (200, 258), (118, 250), (114, 150)], s.light)
    s.smooth([(126, 152), (200, 146), (274, 152), (274, 242), (200, 250), (126, 242)], s.main)
    s.shape([(144, 168), (256, 168), (254, 226), (146, 226)], CREAM)
    s.smooth([(182, 182), (218, 182), (226, 204), (200, 218), (174, 204)], s.main)
    s.line([(200, 182), (206, 174), (216, 172)], LEAF, 5)
    s.smooth(
        [(124, 62), (200, 50), (276, 62), (292, 116), (240, 104), (200, 118), (160, 104), (108, 116)], s.dark
    )
    s.dots(grid(150, 76, 6, 1, 20), 4, CREAM)
    s.line([(122, 100), (200, 92), (278, 100)], GOLD, 5)


def bottle(s: Sketch) -> None:
    """Of oil, with a label."""
    s.box(178, 42, 44, 34, s.dark)
    s.smooth(
        [
            (180, 76),
            (220, 76),
            (226, 108),
            (262, 140),
            (264, 246),
            (200, 258),
            (136, 246),
            (138, 140),
            (174, 108),
        ],
        s.light,
    )
    s.smooth([(150, 142), (250, 142), (252, 240), (200, 248), (148, 240)], s.main)
    s.box(144, 166, 112, 52, CREAM)
    s.smooth([(200, 172), (216, 196), (200, 212), (184, 196)], s.main)
    s.line([(152, 150), (154, 160)], CREAM, 6)


def fish(s: Sketch) -> None:
    """A hilsa on a leaf."""
    s.smooth([(40, 196), (120, 140), (280, 132), (368, 180), (280, 246), (120, 254)], LEAF)
    s.shape([(300, 168), (352, 122), (342, 180), (356, 234)], s.main)
    s.smooth(
        [(54, 182), (110, 132), (200, 116), (284, 150), (312, 176), (280, 204), (200, 234), (110, 226)],
        "#dfe7ea",
    )
    s.smooth([(58, 176), (112, 130), (200, 116), (284, 150), (306, 170), (200, 156), (112, 164)], s.main)
    s.shape([(178, 122), (214, 92), (240, 128)], s.dark)
    s.line([(116, 140), (130, 176), (116, 218)])
    s.dots([(86, 174)], 7, INK)
    for x in (154, 186, 218, 250):
        s.line([(x, 176), (x + 9, 188), (x, 200)], s.main, 3)


def dry_fish(s: Sketch) -> None:
    """Hung on a string to dry."""
    s.line([(40, 72), (200, 82), (360, 70)])
    for x in (112, 172, 232, 292):
        s.line([(x, 78), (x, 96)])
        s.smooth([(x, 94), (x + 20, 128), (x + 15, 190), (x, 222), (x - 15, 190), (x - 20, 128)], s.light)
        s.shape([(x, 218), (x + 18, 254), (x, 246), (x - 18, 254)], s.main)
        s.line([(x, 136), (x + 1, 170), (x, 206)], s.dark)
        s.dots([(x - 8, 116)], 4, INK)


def prawn(s: Sketch) -> None:
    """Curled, with feelers."""
    s.line([(140, 100), (90, 60), (50, 66)])
    s.line([(140, 106), (80, 92), (46, 112)])
    rings = [(152, 112, 40), (200, 96, 40), (246, 108, 37), (276, 146, 33), (274, 190, 29), (246, 220, 24)]
    s.shape([(236, 222), (180, 208), (192, 240), (176, 262), (236, 246)], s.dark)
    for x, y, size in reversed(rings):
        s.oval(x, y, size, size, s.main)
        s.line([(x - size / 3, y - size / 2), (x + size / 4, y - size / 2)], s.light, 6)
    s.dots([(138, 104)], 7, INK)
    for x, y in ((150, 150), (184, 138), (214, 142), (236, 166)):
        s.line([(x, y), (x - 8, y + 22), (x - 20, y + 30)], s.dark)


# ---- home and kitchen


def mat(s: Sketch) -> None:
    """Woven, half rolled."""
    s.shape([(70, 96), (300, 84), (346, 236), (52, 248)], s.light)
    for step in range(5):
        s.line([(78 + step * 50, 96 - step * 2), (72 + step * 58, 244 - step)], s.main, 6)
    for y in (124, 156, 188, 220):
        s.line([(66, y), (200, y - 4), (330, y - 8)], s.dark, 4)
    s.smooth([(56, 76), (300, 62), (316, 84), (302, 108), (58, 120), (44, 98)], s.main)
    s.oval(304, 86, 13, 23, s.light)
    s.line([(304, 76), (310, 86), (304, 94), (300, 87)])


def vase(s: Sketch) -> None:
    """Painted, with three flowers."""
    for x, y in ((164, 66), (204, 46), (242, 70)):
        s.line([(200, 130), ((200 + x) / 2, 100), (x, y)], LEAF, 5)
        flower(s, x, y, 13, s.light)
    s.smooth(
        [(170, 122), (230, 122), (224, 150), (276, 196), (252, 252), (148, 252), (124, 196), (176, 150)],
        s.main,
    )
    s.oval(200, 122, 32, 9, s.dark)
    s.line([(134, 180), (200, 190), (266, 180)], CREAM, 6)
    s.dots(grid(146, 208, 6, 1, 22), 5, CREAM)
    s.line([(138, 228), (200, 238), (262, 228)], CREAM, 6)


def lamp(s: Sketch) -> None:
    """Hanging, woven, alight."""
    s.line([(200, 16), (200, 74)])
    s.smooth([(164, 78), (236, 78), (292, 164), (264, 220), (136, 220), (108, 164)], s.main)
    for x in (-60, -30, 0, 30, 60):
        s.line([(200 + x * 0.5, 82), (200 + x * 1.35, 160), (200 + x, 216)], s.dark, 3)
    for y in (110, 142, 174, 200):
        s.line([(200 - 96 + abs(164 - y), y), (200, y + 6), (296 - abs(164 - y), y)], s.light, 5)
    s.oval(200, 226, 26, 18, "#fff3b8")


def basket(s: Sketch) -> None:
    """Of cane, with a handle."""
    s.line([(112, 146), (140, 70), (200, 50), (260, 70), (288, 146)], INK, 15)
    s.line([(112, 146), (140, 70), (200, 50), (260, 70), (288, 146)], s.light, 8)
    s.shape([(90, 142), (310, 142), (280, 254), (120, 254)], s.main)
    for y in (168, 194, 220):
        s.line([(104, y), (200, y + 6), (296, y)], s.light, 7)
    for x in (140, 170, 200, 230, 260):
        s.line([(200 + (x - 200) * 1.15, 150), (x, 250)], s.dark)
    s.box(82, 132, 236, 20, s.light)


def net(s: Sketch) -> None:
    """A mosquito net over a bed."""
    s.box(84, 210, 232, 36, "#b5793f")
    s.smooth([(92, 194), (308, 190), (314, 216), (86, 218)], CREAM)
    s.shape([(104, 70), (296, 70), (326, 232), (74, 232)], f"{s.light}99")
    for x in (124, 162, 200, 238, 276):
        s.line([(x, 74), (200 + (x - 200) * 1.3, 228)], s.main, 2)
    for y in (102, 136, 170, 204):
        s.line([(200 - 98 - (y - 70) * 0.16, y), (200, y + 3), (298 + (y - 70) * 0.16, y)], s.main, 2)
    s.line([(104, 70), (70, 44)])
    s.line([(296, 70), (330, 44)])


def pot(s: Sketch) -> None:
    """With a lid."""
    s.oval(200, 74, 16, 12, s.dark)
    s.smooth([(92, 126), (140, 92), (260, 92), (308, 126)], STEEL)
    s.smooth([(84, 128), (316, 128), (322, 190), (286, 252), (114, 252), (78, 190)], STEEL)
    s.box(72, 120, 256, 18, s.light)
    s.line([(104, 168), (104, 200), (126, 230)], "#ffffff", 8)
    s.line([(70, 160), (52, 170), (62, 196), (80, 192)])
    s.line([(330, 160), (348, 170), (338, 196), (320, 192)])


def pan(s: Sketch) -> None:
    """From above, with an egg."""
    s.shape([(248, 168), (264, 146), (374, 88), (384, 106)], s.main)
    s.oval(168, 176, 112, 80, s.dark)
    s.oval(168, 172, 90, 62, "#4a474d")
    s.smooth([(122, 172), (148, 138), (196, 146), (222, 176), (184, 206), (140, 202)], "#fffdf6")
    s.oval(172, 172, 20, 17, GOLD)


def cooker(s: Sketch) -> None:
    """A pressure cooker with its whistle."""
    s.box(188, 48, 24, 26, s.dark)
    s.smooth([(112, 112), (150, 78), (250, 78), (288, 112)], STEEL)
    s.shape([(100, 112), (300, 112), (296, 250), (104, 250)], s.main)
    s.box(92, 104, 216, 20, STEEL)
    s.shape([(296, 108), (380, 100), (380, 122), (298, 128)], INK)
    s.smooth([(104, 150), (74, 152), (74, 176), (104, 178)], INK)
    s.line([(124, 146), (122, 190), (126, 230)], s.light, 8)
    s.line([(220, 44), (234, 32), (230, 20)], s.light)


def boti(s: Sketch) -> None:
    """A curved blade on a board, an aubergine beside it."""
    s.shape([(70, 222), (290, 214), (296, 244), (66, 252)], s.main)
    s.smooth([(116, 218), (128, 150), (190, 88), (270, 76), (206, 126), (166, 180), (160, 218)], STEEL)
    s.line([(136, 208), (148, 156), (196, 104)], "#8c979e", 4)
    s.smooth([(286, 236), (296, 196), (326, 180), (344, 204), (332, 246), (304, 258)], "#7c4a9e")
    s.smooth([(318, 182), (326, 164), (342, 158), (342, 188)], LEAF)


def plate(s: Sketch) -> None:
    """A set: two plates and a bowl."""
    s.oval(164, 150, 116, 100, CREAM)
    s.oval(164, 150, 92, 78, s.light)
    s.oval(164, 150, 72, 60, CREAM)
    flower(s, 164, 150, 17, s.main)
    for turn in range(10):
        a = turn * math.tau / 10
        s.dots([(164 + 104 * math.cos(a), 150 + 89 * math.sin(a))], 5, s.main)
    s.smooth([(232, 196), (352, 196), (332, 246), (292, 258), (252, 246)], s.main)
    s.oval(292, 196, 60, 15, CREAM)
    s.line([(246, 222), (292, 232), (340, 222)], s.light, 6)


def cup(s: Sketch) -> None:
    """Two clay cups, steaming."""
    for x, y in ((138, 0), (262, 14)):
        s.shape([(x - 54, 116 + y), (x + 54, 116 + y), (x + 36, 236 + y), (x - 36, 236 + y)], s.main)
        s.oval(x, 116 + y, 55, 16, s.light)
        s.oval(x, 118 + y, 42, 10, "#9c5a2c")
        s.line([(x - 46, 160 + y), (x, 168 + y), (x + 46, 160 + y)], CREAM, 5)
        s.line([(x - 12, 90 + y), (x - 22, 70 + y), (x - 10, 50 + y)], s.dark)
        s.line([(x + 14, 90 + y), (x + 4, 70 + y), (x + 16, 50 + y)], s.dark)


def tiffin(s: Sketch) -> None:
    """Three tiers in a frame."""
    s.line([(120, 250), (114, 90), (160, 50), (240, 50), (286, 90), (280, 250)], INK, 8)
    s.smooth([(134, 104), (200, 78), (266, 104)], STEEL)
    for y in (104, 152, 200):
        s.box(132, y, 136, 46, s.light)
        s.line([(140, y + 10), (200, y + 13), (260, y + 10)], s.dark, 4)
    s.oval(200, 82, 10, 8, GOLD)
    s.line([(150, 126), (150, 138)], "#ffffff", 7)


def flask(s: Sketch) -> None:
    """A tall bottle with a cup as its lid."""
    s.box(162, 38, 76, 50, s.dark)
    s.shape([(152, 88), (248, 88), (256, 112), (256, 254), (144, 254), (144, 112)], s.main)
    s.line([(164, 122), (162, 180), (164, 240)], s.light, 9)
    s.line([(146, 112), (200, 116), (254, 112)], STEEL, 7)
    s.smooth([(208, 160), (228, 182), (210, 206), (196, 184)], s.light)


def stone(s: Sketch) -> None:
    """A slab with a roller and spices."""
    s.smooth([(64, 220), (110, 120), (290, 112), (342, 212), (300, 250), (100, 254)], s.light)
    s.dots(grid(126, 144, 8, 4, 22, 11), 2, s.dark)
    s.smooth([(112, 156), (270, 132), (292, 154), (282, 176), (126, 198), (104, 178)], s.main)
    s.smooth([(170, 236), (196, 208), (240, 206), (264, 232), (220, 244)], "#c8373a")


def kettle(s: Sketch) -> None:
    """Electric, on its base."""
    s.shape([(116, 96), (84, 106), (80, 134), (120, 132)], s.light)
    s.shape([(128, 78), (250, 78), (272, 234), (106, 234)], s.main)
    s.line([(254, 96), (314, 108), (318, 186), (270, 206)], INK, 16)
    s.smooth([(132, 78), (190, 54), (246, 78)], s.dark)
    s.oval(190, 54, 12, 9, GOLD)
    s.box(98, 234, 184, 20, INK)
    s.line([(138, 112), (130, 164), (128, 214)], s.light, 8)
    s.box(196, 130, 20, 76, CREAM)


# ---- toys, books, gifts


def rickshaw(s: Sketch) -> None:
    """With its painted hood."""
    for x, size in ((116, 44), (272, 44)):
        s.oval(x, 212, size, size, CREAM)
        s.line([(x - 40, 212), (x + 40, 212)], STEEL, 3)
        s.line([(x, 172), (x, 252)], STEEL, 3)
        s.dots([(x, 212)], 8, INK)
    s.shape([(206, 146), (330, 146), (318, 196), (218, 196)], s.main)
    s.smooth([(222, 144), (220, 84), (262, 56), (314, 66), (334, 144)], s.dark)
    s.line([(236, 140), (240, 92), (276, 66)], GOLD, 6)
    s.line([(276, 142), (278, 102), (300, 74)], GOLD, 6)
    flower(s, 246, 172, 10, CREAM)
    flower(s, 290, 172, 10, CREAM)
    s.line([(116, 212), (150, 150), (212, 180)], s.main, 8)
    s.line([(116, 212), (110, 138), (88, 124)], s.main, 8)
    s.line([(84, 132), (104, 116)], INK, 7)
    s.smooth([(132, 148), (172, 142), (168, 158)], INK)


def toy_car(s: Sketch) -> None:
    """Of wood."""
    s.smooth([(126, 158), (150, 94), (246, 92), (282, 156)], s.light)
    s.box(160, 108, 40, 44, CREAM)
    s.box(212, 108, 40, 44, CREAM)
    s.smooth([(58, 168), (100, 150), (310, 150), (346, 178), (342, 226), (60, 226)], s.main)
    for x in (122, 282):
        s.oval(x, 226, 34, 32, "#b5793f")
        s.oval(x, 226, 13, 12, CREAM)
    s.oval(334, 184, 10, 11, GOLD)
    s.line([(200, 160), (200, 216)], s.dark)


def doll(s: Sketch) -> None:
    """In a saree, with a bun."""
    s.oval(200, 92, 46, 46, INK)
    s.oval(252, 76, 18, 17, INK)
    s.smooth([(152, 152), (248, 152), (296, 250), (200, 262), (104, 250)], s.main)
    s.smooth([(238, 150), (262, 158), (168, 258), (128, 254)], s.light)
    s.line([(250, 158), (200, 208), (148, 256)], GOLD, 5)
    s.oval(200, 102, 38, 40, "#c98d5f")
    s.dots([(185, 100), (215, 100)], 4, INK)
    s.dots([(200, 78)], 5, "#c8373a")
    s.line([(188, 120), (200, 127), (212, 120)])
    s.oval(130, 176, 13, 13, "#c98d5f")
    s.oval(270, 176, 13, 13, "#c98d5f")


def blocks(s: Sketch) -> None:
    """With letters."""
    for x, y, fill in ((92, 160, s.main), (196, 160, PALETTES["blue"][1]), (144, 62, PALETTES["green"][1])):
        s.shape([(x, y), (x + 24, y - 18), (x + 120, y - 18), (x + 96, y)], s.light)
        s.shape([(x + 96, y), (x + 120, y - 18), (x + 120, y + 76), (x + 96, y + 94)], s.dark)
        s.box(x, y, 96, 94, fill)
    s.line([(112, 188), (170, 188)], CREAM, 8)
    s.line([(158, 188), (158, 236)], CREAM, 8)
    s.line([(156, 206), (128, 200), (124, 222), (146, 226)], CREAM, 8)
    s.line([(214, 188), (274, 188)], CREAM, 8)
    s.line([(260, 188), (260, 236)], CREAM, 8)
    s.line([(258, 204), (222, 216), (256, 232)], CREAM, 8)
    s.line([(164, 88), (222, 88)], CREAM, 8)
    s.line([(206, 88), (206, 140)], CREAM, 8)
    s.line([(204, 106), (172, 104), (186, 134), (204, 122)], CREAM, 8)


def kite(s: Sketch) -> None:
    """Flying, its reel below."""
    s.shape([(210, 36), (310, 112), (210, 196), (114, 112)], s.main)
    s.shape([(210, 36), (310, 112), (210, 112)], GOLD)
    s.shape([(114, 112), (210, 112), (210, 196)], s.light)
    s.line([(210, 36), (211, 112), (210, 196)])
    s.line([(114, 112), (210, 100), (310, 112)])
    s.smooth([(210, 196), (228, 226), (210, 220), (192, 226)], s.dark)
    s.line([(210, 112), (170, 180), (120, 212), (104, 236)], INK, 2)
    s.box(80, 216, 48, 32, "#b5793f")
    s.line([(62, 232), (80, 232)], INK, 8)
    s.line([(128, 232), (148, 232)], INK, 8)


def ludo(s: Sketch) -> None:
    """A board, a die and counters."""
    s.shape([(92, 56), (284, 50), (290, 244), (86, 248)], CREAM)
    for x, y, name in ((98, 62, "red"), (212, 58, "green"), (94, 172, "yellow"), (214, 170, "blue")):
        s.box(x, y, 66, 66, PALETTES[name][1])
        s.oval(x + 33, y + 33, 18, 18, CREAM)
    s.shape([(162, 130), (212, 128), (213, 170), (162, 172)], s.light)
    s.box(290, 190, 56, 56, CREAM)
    s.dots([(304, 204), (332, 204), (318, 218), (304, 232), (332, 232)], 5, INK)
    s.oval(320, 150, 20, 20, s.main)


def book(s: Sketch) -> None:
    """Standing, with a patterned cover."""
    s.shape([(270, 60), (304, 72), (304, 252), (270, 254)], CREAM)
    for x in (280, 290):
        s.line([(x, 72), (x, 250)], "#cbbfa8", 2)
    s.shape([(118, 52), (272, 58), (272, 256), (118, 258)], s.main)
    s.shape([(100, 58), (122, 52), (122, 258), (100, 252)], s.dark)
    s.shape([(148, 88), (250, 90), (250, 130), (148, 130)], CREAM)
    s.line([(164, 104), (200, 105), (234, 104)], s.dark)
    s.line([(176, 118), (200, 118), (222, 118)], s.dark)
    flower(s, 198, 194, 22, s.light)
    s.line([(140, 76), (200, 74), (262, 78)], GOLD, 4)
    s.line([(140, 240), (200, 242), (260, 240)], GOLD, 4)


def gift(s: Sketch) -> None:
    """A box with a ribbon, a moon and a star on it."""
    s.box(92, 128, 216, 126, s.main)
    s.box(78, 96, 244, 40, s.dark)
    s.box(184, 96, 32, 158, GOLD)
    s.smooth([(200, 96), (150, 50), (122, 74), (146, 98)], GOLD)
    s.smooth([(200, 96), (250, 50), (278, 74), (254, 98)], GOLD)
    s.smooth([(138, 164), (116, 190), (138, 220), (156, 216), (138, 192), (154, 168)], CREAM)
    s.dots([(264, 190)], 10, CREAM)
    s.dots([(264, 172), (264, 208), (246, 190), (282, 190)], 5, CREAM)


# ---- beauty


def attar(s: Sketch) -> None:
    """A small ornate bottle."""
    s.oval(200, 66, 18, 22, GOLD)
    s.box(182, 86, 36, 26, s.dark)
    s.smooth([(172, 112), (228, 112), (276, 176), (256, 246), (144, 246), (124, 176)], s.light)
    s.smooth([(140, 180), (260, 180), (248, 238), (152, 238)], s.main)
    s.oval(200, 190, 30, 28, CREAM)
    flower(s, 200, 190, 11, s.main)
    s.line([(154, 142), (144, 160)], "#ffffff", 7)


def mehedi(s: Sketch) -> None:
    """A cone and a painted palm."""
    s.smooth(
        [
            (106, 254),
            (92, 170),
            (104, 110),
            (118, 170),
            (126, 72),
            (142, 156),
            (158, 56),
            (168, 156),
            (188, 74),
            (192, 176),
            (222, 160),
            (212, 206),
            (182, 256),
        ],
        "#c98d5f",
    )
    s.oval(150, 206, 20, 20, "#c98d5f")
    for turn in range(8):
        a = turn * math.pi / 4
        s.dots([(150 + 30 * math.cos(a), 206 + 30 * math.sin(a))], 4, "#7a3018")
    s.dots([(150, 206)], 7, "#7a3018")
    s.shape([(228, 250), (312, 80), (346, 98)], s.main)
    s.shape([(304, 96), (312, 80), (346, 98), (336, 112)], GOLD)


def lipstick(s: Sketch) -> None:
    """Open, its cap beside it."""
    s.smooth([(142, 136), (142, 92), (180, 58), (186, 136)], s.main)
    s.box(134, 132, 60, 40, GOLD)
    s.box(124, 170, 80, 86, INK)
    s.box(236, 142, 66, 114, INK)
    s.line([(250, 156), (249, 200), (250, 242)], "#8b8990", 6)
    s.line([(238, 230), (268, 232), (300, 230)], GOLD, 6)


def soap(s: Sketch) -> None:
    """A bar on its wrapper, with bubbles."""
    s.shape([(64, 196), (330, 178), (344, 250), (72, 256)], CREAM)
    s.smooth([(96, 150), (280, 132), (316, 160), (310, 216), (110, 232), (84, 196)], s.main)
    s.smooth([(122, 160), (268, 146), (288, 166), (284, 186), (132, 200), (112, 182)], s.light)
    s.smooth([(176, 178), (200, 158), (234, 164), (212, 186)], LEAF)
    for x, y, size in ((126, 104, 20), (166, 80, 13), (296, 96, 16)):
        s.oval(x, y, size, size, "#ffffff")


def cream(s: Sketch) -> None:
    """A low jar, its lid leaning."""
    s.smooth([(110, 150), (290, 150), (296, 240), (200, 256), (104, 240)], s.main)
    s.oval(200, 148, 92, 24, CREAM)
    s.smooth([(168, 150), (184, 122), (206, 118), (214, 132), (232, 150), (200, 158)], "#ffffff")
    s.box(144, 186, 112, 40, CREAM)
    s.smooth([(184, 206), (200, 192), (218, 206), (200, 220)], LEAF)
    s.oval(322, 226, 34, 34, s.dark)
    s.oval(322, 226, 24, 24, s.light)


# ---- electronics


def phone(s: Sketch) -> None:
    """Front and back."""
    s.shape([(214, 58), (300, 66), (296, 246), (208, 240)], s.main)
    s.oval(240, 88, 11, 11, INK)
    s.oval(240, 116, 11, 11, INK)
    s.shape([(112, 46), (208, 46), (208, 256), (112, 256)], INK)
    s.shape([(122, 60), (198, 60), (198, 242), (122, 242)], s.light)
    for x, y in grid(142, 150, 3, 3, 18):
        s.dots([(x, y)], 6, CREAM)
    s.line([(138, 90), (160, 88), (182, 90)], CREAM, 8)
    s.line([(138, 112), (152, 111), (166, 112)], CREAM, 5)


def powerbank(s: Sketch) -> None:
    """With its cable."""
    s.shape([(132, 66), (244, 60), (250, 248), (136, 254)], s.main)
    s.dots([(166, 88), (184, 87), (202, 86)], 5, "#8fe38a")
    s.smooth([(200, 130), (168, 174), (190, 172), (180, 212), (216, 160), (194, 162)], GOLD)
    s.line([(240, 90), (300, 84), (324, 140), (288, 190), (306, 244)], s.dark, 8)
    s.box(294, 232, 26, 22, STEEL)


def earbuds(s: Sketch) -> None:
    """In their open case."""
    s.smooth([(104, 150), (120, 74), (280, 74), (296, 150)], s.light)
    for x in (162, 238):
        s.oval(x, 124, 24, 22, s.main)
        s.box(x - 9, 132, 18, 46, s.main)
        s.dots([(x, 122)], 7, s.dark)
    s.smooth([(100, 156), (300, 156), (298, 214), (260, 250), (140, 250), (102, 214)], s.main)
    s.dots([(200, 200)], 6, "#63c46b")


def fan(s: Sketch) -> None:
    """Rechargeable, standing."""
    s.shape([(188, 180), (212, 180), (220, 244), (180, 244)], s.dark)
    s.smooth([(130, 258), (160, 236), (240, 236), (270, 258)], s.main)
    s.oval(200, 118, 88, 84, CREAM)
    for turn in range(3):
        a = turn * math.tau / 3 + 0.4
        s.smooth(
            [
                (200, 118),
                (200 + 48 * math.cos(a - 0.5), 118 + 48 * math.sin(a - 0.5)),
                (200 + 72 * math.cos(a), 118 + 68 * math.sin(a)),
                (200 + 52 * math.cos(a + 0.5), 118 + 52 * math.sin(a + 0.5)),
            ],
            s.main,
        )
    for turn in range(8):
        a = turn * math.tau / 8
        s.line([(200, 118), (200 + 86 * math.cos(a), 118 + 82 * math.sin(a))], STEEL, 2)
    s.oval(200, 118, 16, 16, s.dark)


def bulb(s: Sketch) -> None:
    """Alight."""
    for turn in range(7):
        a = math.pi + turn * math.pi / 6
        s.line(
            [
                (200 + 98 * math.cos(a), 128 + 98 * math.sin(a)),
                (200 + 120 * math.cos(a), 128 + 112 * math.sin(a)),
            ],
            s.main,
            6,
        )
    s.smooth([(200, 52), (268, 84), (270, 146), (232, 194), (168, 194), (130, 146), (132, 84)], s.light)
    s.shape([(166, 192), (234, 192), (228, 230), (172, 230)], CREAM)
    s.box(176, 230, 48, 26, STEEL)
    s.line([(176, 242), (200, 245), (224, 242)])
    s.line([(160, 96), (152, 120), (158, 142)], "#ffffff", 9)


def watch(s: Sketch) -> None:
    """A square face with a strap."""
    s.shape([(166, 28), (234, 28), (244, 100), (156, 100)], s.main)
    s.shape([(156, 200), (244, 200), (234, 270), (166, 270)], s.main)
    s.shape([(136, 86), (264, 86), (266, 214), (134, 214)], INK)
    s.shape([(150, 100), (250, 100), (250, 200), (150, 200)], s.light)
    s.line([(200, 116), (200, 152), (224, 168)], INK, 6)
    s.dots([(200, 110), (242, 150), (200, 190), (158, 150)], 4, INK)
    s.box(266, 136, 12, 28, GOLD)
    s.dots([(200, 232), (200, 250)], 4, s.dark)


def speaker(s: Sketch) -> None:
    """A roll with a cone at each end."""
    s.smooth([(92, 112), (308, 112), (330, 176), (308, 242), (92, 242), (70, 176)], s.main)
    for x in (140, 260):
        s.oval(x, 176, 46, 50, INK)
        s.oval(x, 176, 30, 33, s.light)
        s.oval(x, 176, 11, 12, s.dark)
    s.dots([(186, 128), (200, 128), (214, 128)], 4, CREAM)
    s.line([(180, 84), (180, 52), (212, 44), (212, 76)], s.dark)
    s.dots([(174, 86), (206, 78)], 8, s.dark)


DRAWINGS: dict[str, Callable[[Sketch], None]] = {
    drawing.__name__.replace("_", "-"): drawing
    for drawing in (
        *(saree, panjabi, shirt, kurti, frock, tupi, lungi, gamcha, shawl, sheet, kantha, prayer_mat),
        *(shoe, sandal, bag, backpack, bangles, necklace),
        *(sack, spice, tea, semai, sweets, doi, jar, bottle, fish, dry_fish, prawn),
        *(mat, vase, lamp, basket, net, pot, pan, cooker, boti, plate, cup, tiffin, flask, stone, kettle),
        *(rickshaw, toy_car, doll, blocks, kite, ludo, book, gift),
        *(attar, mehedi, lipstick, soap, cream),
        *(phone, powerbank, earbuds, fan, bulb, watch, speaker),
    )
}


def draw(drawing: str, colour: str) -> str:
    """The picture of a kind in a colour, as SVG. KeyError for one that nobody has drawn."""
    sketch = Sketch(drawing, colour)
    DRAWINGS[drawing](sketch)
    return sketch.svg(f"{drawing.replace('-', ' ')}, {colour}")


def wanted(seed: Path = SEED) -> dict[str, tuple[str, str]]:
    """What the seed names: file name to kind and colour."""
    kinds = [
        kind
        for shelf in json.loads(seed.read_text(encoding="utf-8"))["categories"]
        for kind in shelf["kinds"]
    ]
    pairs = [
        (kind["image"], colour)
        for kind in kinds
        for colour in kind.get("colours", [kind.get("palette")])
        if colour
    ]
    return {f"{drawing}-{colour}.svg": (drawing, colour) for drawing, colour in pairs}


def main() -> None:
    """Write what is wanted, remove what is not."""
    names = wanted()
    for path in HERE.glob("*.svg"):
        if path.name not in names:
            path.unlink()
    for name, (drawing, colour) in sorted(names.items()):
        (HERE / name).write_text(draw(drawing, colour), encoding="utf-8")


if __name__ == "__main__":
    main()
