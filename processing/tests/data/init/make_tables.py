"""Writes the tables for tests of `drivetrain init` next to this file, with the same content every time.

cars.csv: listings with real faults (absurd prices, missing odometers, copies, ids, free text). houses.csv: numbers and
categories with `NA`, as in the Ames data. demand.csv: dates, stores and items, with semicolons and decimal commas.
"""

from __future__ import annotations

import csv
import random
from datetime import date, timedelta
from pathlib import Path
from typing import List

HERE = Path(__file__).resolve().parent


def cars(dice: random.Random) -> List[List[object]]:
    makes = {"civic": 14_000, "f-150": 30_000, "corolla": 15_000, "c-class": 33_000, "golf": 17_000, "accord": 19_000}
    header = ["id", "vin", "posting_date", "year", "model", "odometer_mi", "condition", "fuel", "title", "country"]
    rows: List[List[object]] = [[*header, "description", "price_USD"]]
    for _ in range(900):
        year, model = dice.randint(1998, 2023), dice.choice(list(makes))
        odometer = max(0, round((2024 - year) * 11_000 + dice.gauss(0, 9_000)))
        condition = dice.choice(["good", "excellent", "fair", "like new", ""])
        price = makes[model] * 0.9 ** (2024 - year) * (1.15 if condition == "like new" else 1) + 3_000
        price = round(price * dice.uniform(0.9, 1.1) - odometer * 0.01)
        if dice.random() < 0.005:
            price = dice.choice([3_736_928_711, 123_456_789])
        rows.append(
            [
                7_300_000_000 + dice.randrange(10**8),
                "".join(dice.choice("ABCDEFGHJKLMNPRSTUVWXYZ0123456789") for _ in range(17)),
                (date(2023, 3, 1) + timedelta(days=dice.randrange(60))).isoformat() + "T10:15:00-0500",
                year,
                model,
                "" if dice.random() < 0.06 else 9_999_999 if dice.random() < 0.004 else odometer,
                condition,
                dice.choices(["gas", "diesel", "hybrid", "electric"], [80, 12, 6, 2])[0],
                dice.choices(["clean", "rebuilt"], [95, 5])[0],
                "us",
                f"{dice.choice(['Clean', 'Nice', 'One owner'])} {model}, call {dice.randrange(10**7)}",
                price,
            ]
        )
    return rows


def houses(dice: random.Random) -> List[List[object]]:
    areas = {
        name: dice.randint(90_000, 260_000) for name in ["NAmes", "CollgCr", "OldTown", "Edwards", "Somerst", "Gilbert"]
    }
    header = [
        "Id",
        "MSSubClass",
        "LotFrontage",
        "LotArea",
        "Street",
        "Neighborhood",
        "OverallQual",
        "YearBuilt",
        "MasVnrType",
    ]
    header += [
        "GrLivArea",
        "FullBath",
        "CentralAir",
        "GarageYrBlt",
        "GarageType",
        "PoolQC",
        "MoSold",
        "YrSold",
        "SalePrice",
    ]
    rows: List[List[object]] = [header]
    for number in range(1, 1001):
        area, quality, built = (
            dice.choice(list(areas)),
            min(10, max(1, round(dice.gauss(6, 1.4)))),
            dice.randint(1900, 2009),
        )
        living = max(500, round(dice.gauss(1_500, 480)))
        garage = dice.random() < 0.94
        price = areas[area] * 0.4 + living * 60 + quality * 9_000 + (built - 1900) * 200
        rows.append(
            [
                number,
                dice.choice([20, 30, 50, 60, 120]),
                "NA" if dice.random() < 0.18 else max(20, round(dice.gauss(70, 20))),
                round(dice.lognormvariate(9.1, 0.5)),
                "Pave",
                area,
                quality,
                built,
                dice.choices(["None", "BrkFace", "Stone"], [60, 30, 10])[0],
                living,
                dice.choice([1, 2, 2, 3]),
                dice.choices(["Y", "N"], [93, 7])[0],
                min(2010, built + dice.choice([0, 0, 5])) if garage else "NA",
                dice.choice(["Attchd", "Detchd", "BuiltIn"]) if garage else "NA",
                "Gd" if dice.random() < 0.004 else "NA",
                dice.randint(1, 12),
                dice.randint(2006, 2010),
                round(price * dice.uniform(0.88, 1.12), -2) // 1,
            ]
        )
    return [[f"{it:.0f}" if isinstance(it, float) else it for it in row] for row in rows]


def demand(dice: random.Random) -> List[List[object]]:
    base = {f"{item:03}": dice.randint(5, 90) for item in range(1, 13)}
    rows: List[List[object]] = [["date", "store", "item", "unit_price", "promo", "holiday", "sales"]]
    first = date(2024, 1, 1)
    for day in range(30):
        for store in range(1, 5):
            for item, sold in base.items():
                if dice.random() < 0.2:
                    continue
                promo = dice.random() < 0.15
                price = round((4 + int(item)) * (0.8 if promo else 1) * dice.uniform(0.95, 1.05), 2)
                sales = max(0, round(sold * (1 + store * 0.2) * (1.6 if promo else 1) + dice.gauss(0, 3)))
                told = "?" if dice.random() < 0.02 else f"{price}".replace(".", ",")
                when = first + timedelta(days=day)
                rows.append([when.isoformat(), store, item, told, "yes" if promo else "no", int(day in (0, 14)), sales])
    return rows


def main() -> None:
    for name, rows, delimiter in [
        ("cars", cars(random.Random(20_261_128)), ","),
        ("houses", houses(random.Random(20_261_129)), ","),
        ("demand", demand(random.Random(20_261_130)), ";"),
    ]:
        with open(HERE / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows(rows)


if __name__ == "__main__":
    main()
