"""Lead-time distributions per offer, from receipts and open orders."""

from tools.lead_times.distribution import LeadTimeDistribution
from tools.lead_times.estimate import LeadTimeSettings, estimate_lead_times

__all__ = ["LeadTimeDistribution", "LeadTimeSettings", "estimate_lead_times"]
