variable "account_id" {
  description = "The Cloudflare account that owns the buckets."
  type        = string
}

variable "zone_id" {
  description = "The DNS zone of the two public hostnames."
  type        = string
}

variable "hostname_eu" {
  description = "The hostname of the EU zone, as in config/network.yaml."
  type        = string
  default     = "eu.kattegat.example"
}
