"""The main job in a few calls."""

from geogrid.workflow.audit import Audit, audit_file
from geogrid.workflow.demo import demo_job, sample_folder
from geogrid.workflow.division import MINUTES, Division, divide_district, measure_service
from geogrid.workflow.job import Job, Outcome, read_households_of, read_place, run_job
from geogrid.workflow.summary import summary_of

__all__ = [
    "MINUTES",
    "Audit",
    "Division",
    "Job",
    "Outcome",
    "audit_file",
    "demo_job",
    "divide_district",
    "measure_service",
    "read_households_of",
    "read_place",
    "run_job",
    "sample_folder",
    "summary_of",
]
