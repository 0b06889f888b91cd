"""Makes the data of this example: hourly rentals of a city's bike stations. The same seed gives the same files.

    python3 make_data.py                      data/rentals.csv to train on, data/next-week.csv to score
    python3 make_data.py --changed            the same names, after fares were halved: twice the rides on working days
    python3 make_data.py --truth SCORED       data/truth.csv: what was rented in the hours of a scored file

Nothing but Python's standard library is needed.
"""

from __future__ import annotations

import argparse
import csv
import math
import random
from pathlib import Path
from typing import Dict, List

HERE = Path(__file__).resolve().parent
COLUMNS = [
    "station",
    "docks",
    "month",
    "weekday",
    "hour",
    "holiday",
    "weather",
    "temperature_c",
    "humidity_percent",
    "wind_m_s",
]
TARGET = "rentals"
STATIONS = {"harbour": 40, "central": 60, "museum": 30, "campus": 50, "park": 24, "airport": 16}
"""Docks of each station: larger ones rent more."""
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEATHER = {"clear": 1.0, "cloudy": 0.9, "rain": 0.45, "snow": 0.2}

Row = Dict[str, str]


def an_hour(dice: random.Random) -> Row:
    """Everything that is known about an hour beforehand."""
    station = dice.choice(list(STATIONS))
    month, hour = dice.randint(1, 12), dice.randint(5, 23)
    temperature = 11 - 12 * math.cos((month - 1) / 12 * 2 * math.pi) + 4 * math.sin((hour - 8) / 12 * math.pi)
    temperature += dice.gauss(0, 4)
    wet = dice.random() < 0.22
    weather = ("snow" if temperature < 1 else "rain") if wet else dice.choice(["clear", "clear", "cloudy"])
    return {
        "station": station,
        "docks": str(STATIONS[station]),
        "month": str(month),
        "weekday": dice.choice(WEEKDAYS),
        "hour": str(hour),
        "holiday": "true" if dice.random() < 0.03 else "false",
        "weather": weather,
        "temperature_c": f"{temperature:.1f}",
        # Sensors fail: some hours have no value.
        "humidity_percent": ""
        if dice.random() < 0.02
        else str(round(min(100, max(15, dice.gauss(85 if wet else 55, 12))))),
        "wind_m_s": "" if dice.random() < 0.02 else f"{abs(dice.gauss(0, 4)):.1f}",
    }


def expected(row: Row, changed: bool) -> float:
    """The expected number of rentals in such an hour."""
    hour, temperature = int(row["hour"]), float(row["temperature_c"])
    works = row["weekday"] not in ("sat", "sun") and row["holiday"] == "false"
    if works:
        curve = 0.25 + 1.1 * math.exp(-(((hour - 8) / 1.6) ** 2)) + 1.3 * math.exp(-(((hour - 17.5) / 2.0) ** 2))
    else:
        curve = 0.2 + 1.0 * math.exp(-(((hour - 14) / 4.0) ** 2))
    comfort = math.exp(-(((temperature - 23) / 14) ** 2))
    rentals = 1.5 * int(row["docks"]) * curve * (0.15 + comfort) * WEATHER[row["weather"]]
    return rentals * (2 if changed and works else 1)


def rented(row: Row, dice: random.Random, changed: bool) -> int:
    """The actual number of rentals: the expected number, with random variation."""
    mean = expected(row, changed)
    return max(0, round(dice.gauss(mean, math.sqrt(mean + 1) + 0.08 * mean)))


def write(path: Path, header: List[str], rows: List[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    print(f"{path}: {len(rows)} rows")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=8000, help="rows to train on [default: 8000]")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--changed", action="store_true", help="after fares were halved")
    parser.add_argument(
        "--truth", type=Path, metavar="SCORED", help="a scored file: write the ground truth of its rows"
    )
    parser.add_argument(
        "--output", type=Path, default=HERE / "data", help="the folder [default: data beside this file]"
    )
    wishes = parser.parse_args()
    # Another seed for the changed world, so that it has other hours.
    dice = random.Random(wishes.seed + (1000 if wishes.changed else 0))
    if wishes.truth:
        with wishes.truth.open(encoding="utf-8", newline="") as file:
            scored = list(csv.DictReader(file))
        truth = [{"id": row["inference_id"], TARGET: str(rented(row, dice, wishes.changed))} for row in scored]
        write(wishes.output / "truth.csv", ["id", TARGET], truth)
        return
    training = [an_hour(dice) for _ in range(wishes.rows)]
    for row in training:
        row[TARGET] = str(rented(row, dice, wishes.changed))
    write(wishes.output / "rentals.csv", [*COLUMNS, TARGET], training)
    write(wishes.output / "next-week.csv", COLUMNS, [an_hour(dice) for _ in range(1000)])


if __name__ == "__main__":
    main()
