"""Lead-time and yield distributions per offer, from receipts and open orders, and what they reveal of suppliers."""

from tools.lead_times.awaited import awaited_offers
from tools.lead_times.distribution import LeadTimeDistribution
from tools.lead_times.estimate import FittedLeadTimes, estimate_lead_times, fit_lead_times
from tools.lead_times.findings import LeadTimeFindings, OfferFinding, SupplierFinding, findings_of, lead_time_findings
from tools.lead_times.promises import PromiseTrust, promise_trust
from tools.lead_times.settings import LeadTimeSettings
from tools.lead_times.yields import YieldDistribution, YieldSettings, estimate_yields

MODEL_VERSION = "2"
"""Of the lead-time models; part of every estimate version."""

__all__ = [
    "MODEL_VERSION",
    "FittedLeadTimes",
    "LeadTimeDistribution",
    "LeadTimeFindings",
    "LeadTimeSettings",
    "OfferFinding",
    "PromiseTrust",
    "SupplierFinding",
    "YieldDistribution",
    "YieldSettings",
    "awaited_offers",
    "estimate_lead_times",
    "estimate_yields",
    "findings_of",
    "fit_lead_times",
    "lead_time_findings",
    "promise_trust",
]
