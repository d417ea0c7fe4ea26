# The Cloudflare side of the default network file: two buckets, two hostnames.
# The Workers themselves are deployed by `wrangler deploy` with edge/wrangler.eu.json and edge/wrangler.global.json.

terraform {
  required_version = ">= 1.6"
  required_providers {
    cloudflare = {
      source  = "cloudflare/cloudflare"
      version = "~> 5.13"
    }
  }
}

# A bucket's jurisdiction cannot be changed after it exists; `prevent_destroy` keeps a plan from replacing it.
resource "cloudflare_r2_bucket" "cold_eu" {
  account_id   = var.account_id
  name         = "kattegat-cold-eu"
  jurisdiction = "eu"

  lifecycle {
    prevent_destroy = true
  }
}

resource "cloudflare_r2_bucket" "cold_global" {
  account_id = var.account_id
  name       = "kattegat-cold-global"

  lifecycle {
    prevent_destroy = true
  }
}

# Regional Services: requests to this hostname are decrypted and the Worker runs inside the EU only.
resource "cloudflare_regional_hostname" "eu" {
  zone_id    = var.zone_id
  hostname   = var.hostname_eu
  region_key = "eu"
}
