"""The UCI Adult census data as they are: how to read them, and what a row must look like."""

from __future__ import annotations

import lzma
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import pandas as pd
from pydantic import BaseModel, BeforeValidator, Field

import prodml as pm

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = Path(__file__).parent / "data" / "adult"
TRAIN = DATA / "adult.data.xz"
TEST = DATA / "adult.test.xz"


def question_mark_is_missing(value: object) -> object:
    """Take the mark that the file has for a missing value as one."""
    return None if value == "?" else value


Workclass = Literal[
    "Federal-gov", "Local-gov", "Never-worked", "Private", "Self-emp-inc", "Self-emp-not-inc",
    "State-gov", "Without-pay",
]  # fmt: skip
Education = Literal[
    "10th", "11th", "12th", "1st-4th", "5th-6th", "7th-8th", "9th", "Assoc-acdm", "Assoc-voc",
    "Bachelors", "Doctorate", "HS-grad", "Masters", "Preschool", "Prof-school", "Some-college",
]  # fmt: skip
MaritalStatus = Literal[
    "Divorced", "Married-AF-spouse", "Married-civ-spouse", "Married-spouse-absent",
    "Never-married", "Separated", "Widowed",
]  # fmt: skip
Occupation = Literal[
    "Adm-clerical", "Armed-Forces", "Craft-repair", "Exec-managerial", "Farming-fishing",
    "Handlers-cleaners", "Machine-op-inspct", "Other-service", "Priv-house-serv",
    "Prof-specialty", "Protective-serv", "Sales", "Tech-support", "Transport-moving",
]  # fmt: skip
Relationship = Literal[
    "Husband", "Not-in-family", "Other-relative", "Own-child", "Unmarried", "Wife"
]
Race = Literal["Amer-Indian-Eskimo", "Asian-Pac-Islander", "Black", "Other", "White"]


class Applicant(BaseModel):
    """One person of the census."""

    age: int = Field(ge=17, le=90)
    workclass: Annotated[Workclass | None, BeforeValidator(question_mark_is_missing)]
    fnlwgt: int = Field(gt=0)
    education: Education
    education_num: int = Field(ge=1, le=16)
    marital_status: MaritalStatus
    occupation: Annotated[Occupation | None, BeforeValidator(question_mark_is_missing)]
    relationship: Relationship
    race: Race
    sex: Literal["Female", "Male"]
    capital_gain: int = Field(ge=0, le=99_999)
    capital_loss: int = Field(ge=0)
    hours_per_week: int = Field(ge=1, le=99)
    native_country: Annotated[str | None, BeforeValidator(question_mark_is_missing)]
    income: Literal["<=50K", ">50K"]


COLUMNS = list(Applicant.model_fields)
LABEL = "income"
FEATURES = [name for name in COLUMNS if name != LABEL]

CONTRACT = pm.Contract(Applicant, name="applicant", version="1")


def read_chunks(path: Path, rows: int = 4_096) -> Iterator[pd.DataFrame]:
    """Yield the raw rows of a file, as text, a chunk at a time."""
    with lzma.open(path, "rt", encoding="ascii") as file:
        yield from pd.read_csv(
            file,
            header=None,
            names=COLUMNS,
            dtype=str,
            keep_default_na=False,
            skipinitialspace=True,
            chunksize=rows,
        )
