"""The main job in a few calls."""

from geogrid.workflow.audit import Audit, audit_file, open_plan
from geogrid.workflow.demo import demo_job, sample_folder
from geogrid.workflow.division import Division, divide_district, measure_service
from geogrid.workflow.inputs import (
    MINUTES,
    Households,
    Job,
    Stations,
    read_households_of,
    read_place,
    read_stations_of,
    require_near,
)
from geogrid.workflow.job import Outcome, run_job
from geogrid.workflow.summary import summary_of

__all__ = [
    "MINUTES",
    "Audit",
    "Division",
    "Households",
    "Job",
    "Outcome",
    "Stations",
    "audit_file",
    "demo_job",
    "divide_district",
    "measure_service",
    "open_plan",
    "read_households_of",
    "read_place",
    "read_stations_of",
    "require_near",
    "run_job",
    "sample_folder",
    "summary_of",
]
