"""
Make the invented table of the example site.

Every value is drawn at random with a fixed seed, around round numbers chosen by hand; nothing is
taken from, or fitted to, anybody's data. Some values are wrong on purpose, so that the report of
what was rejected has something to say: run ``python docs/example_site/make.py`` to make it again.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

SEED = 2026
PEOPLE = 300
SMOKING = ["chưa bao giờ", "đã bỏ", "đang hút"]
WHOLE = (
    "ha_tam_thu_1", "ha_tam_thu_2", "ha_tam_truong_1", "ha_tam_truong_2", "duong_huyet_doi",
    "cholesterol", "triglycerid", "hdl",
)  # fmt: skip
FILE = Path(__file__).parent / "people.csv"


def people() -> pd.DataFrame:
    """
    Invent the people.

    Returns
    -------
    pandas.DataFrame, shape (300, columns)
        In an invented clinic's own words and units.
    """
    draw = np.random.default_rng(SEED)
    age = draw.integers(25, 80, PEOPLE)
    male = draw.random(PEOPLE) < 0.5
    bmi = draw.normal(23.5, 3.0, PEOPLE).clip(16, 40)
    glucose = draw.normal(94, 10, PEOPLE).clip(65, 124)
    systolic = draw.normal(105 + 0.4 * age, 14)
    diastolic = draw.normal(78, 9, PEOPLE)
    log_odds = -2.9 + 0.04 * (age - 50) + 0.15 * (bmi - 23.5) + 0.1 * (glucose - 94)
    diabetes = draw.random(PEOPLE) < 1 / (1 + np.exp(-log_odds))
    table = pd.DataFrame(
        {
            "ma_so": [f"BN{i:04d}" for i in range(1, PEOPLE + 1)],
            "phong_kham": np.where(draw.random(PEOPLE) < 0.6, "Phòng khám A", "Phòng khám B"),
            "tuoi": age,
            "gioi_tinh": np.where(male, "Nam", "Nữ"),
            "chieu_cao_m": (draw.normal(1.55, 0.05, PEOPLE) + 0.1 * male).round(2),
            "bmi": bmi.round(1),
            "ha_tam_thu_1": systolic.round(),
            "ha_tam_thu_2": (systolic + draw.normal(0, 4, PEOPLE)).round(),
            "ha_tam_truong_1": diastolic.round(),
            "ha_tam_truong_2": (diastolic + draw.normal(0, 3, PEOPLE)).round(),
            "hut_thuoc": draw.choice(SMOKING, PEOPLE, p=[0.7, 0.1, 0.2]),
            "duong_huyet_doi": glucose.round(),
            "cholesterol": draw.normal(190, 35, PEOPLE).round(),
            "triglycerid": draw.lognormal(4.8, 0.4, PEOPLE).round(),
            "hdl": draw.normal(50, 11, PEOPLE).clip(25, 100).round(),
            "creatinin": draw.normal(0.75 + 0.2 * male, 0.12).round(2),
            "dai_thao_duong_moi": np.where(diabetes, "có", "không"),
            "ngay_theo_doi": draw.integers(730, 1500, PEOPLE),
        }
    )  # fmt: skip
    unsaid = draw.random((PEOPLE, 2)) < 0.1
    table.loc[unsaid[:, 0], "triglycerid"] = np.nan
    table.loc[unsaid[:, 1], "hdl"] = -9  # the clinic's way to say that it was not measured
    table.loc[[10, 20], "chieu_cao_m"] = [164, 158]  # centimetres among metres
    table.loc[range(30, 42), "hut_thuoc"] = "không rõ"  # a label the mapping does not explain
    table = table.astype(dict.fromkeys(WHOLE, "Int64"))
    table["cholesterol"] = table["cholesterol"].astype("str")
    table.loc[[50, 51, 52], "cholesterol"] = "<100"  # no number, as laboratories write it
    return table


if __name__ == "__main__":
    people().to_csv(FILE, sep=";", decimal=",", index=False)
