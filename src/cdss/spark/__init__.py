"""
Everybody on a cluster: the same answers as `cdss.batch`, from a data frame or from files.

`assess` is for data frames, wherever Spark reads them from; `cdss.spark.cluster` is the engine of
``cdss batch --engine spark``, and gives the same files as the engine of one machine.
"""

try:
    import pyspark  # noqa: F401
except ModuleNotFoundError as error:
    raise ImportError("cdss.spark needs Spark for Python: pip install 'cdss[spark]'") from error

from cdss.spark.frame import assess, only

__all__ = ["assess", "only"]
