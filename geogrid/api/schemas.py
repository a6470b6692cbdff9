"""Shapes of the answers."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

__all__ = [
    "CellOut",
    "CollectionOut",
    "HealthOut",
    "LevelOut",
    "NearestOut",
    "PlanOut",
    "ProblemOut",
    "WhereOut",
]


class HealthOut(BaseModel):
    """The service is up."""

    status: Literal["ok"] = "ok"


class BandOut(BaseModel):
    """Households that a cell should hold."""

    low: int | None
    high: int | None
    is_hard: bool
    is_assumption: bool


class LevelOut(BaseModel):
    """One level of the plan, 层级."""

    key: str
    name: str
    aliases: list[str]
    cells: int
    head_title: str
    band: BandOut | None


class PlanOut(BaseModel):
    """Summary of the plan, 方案概况."""

    name: str
    code: str
    scheme: str
    version: str
    crs: str
    area_m2: float
    households: int | None = Field(description="Households; null if fewer than ten, 户数")
    households_text: str = Field(description="Households in words, never a number below ten, 户数")
    is_proven: bool = Field(
        description="The certificate is a proof and no defect is listed, 已证明全覆盖无重叠"
    )
    is_synthetic: bool
    is_estimated: bool
    certificate: dict[str, Any] | None
    sources: list[dict[str, Any]]
    bounds: list[float] = Field(min_length=4, max_length=4)


class CollectionOut(BaseModel):
    """A GeoJSON feature collection in EPSG:4326."""

    type: Literal["FeatureCollection"]
    features: list[dict[str, Any]]


class CellOut(BaseModel):
    """A cell in a chain of responsibility."""

    level: str
    level_name: str
    code: str
    name: str
    kind: str
    head_title: str


class NearestOut(BaseModel):
    """The nearest station in a straight line, 最近服务站（直线距离）."""

    station: str
    name: str
    distance_m: int
    distance_kind: Literal["straight line"] = "straight line"


class WhereOut(BaseModel):
    """Cells that hold a place, coarse to fine."""

    lon: float
    lat: float
    chain: list[CellOut]
    station: NearestOut | None


class ProblemOut(BaseModel):
    """A problem as RFC 9457 describes it."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
