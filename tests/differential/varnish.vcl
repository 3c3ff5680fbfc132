# SPDX-License-Identifier: MIT
#
# Varnish in front of Sluice, as docs/deploy has other fronts there: /store is
# taken away, and what a client says of itself isn't believed.  Nothing is kept
# in the cache, and nothing is piped.
vcl 4.1;

backend sluice {
  .host = "127.0.0.1";
  .port = "GATEWAY";
}

sub vcl_recv {
  if (req.url !~ "^/store/" || req.method == "CONNECT") {
    return (synth(404));
  }
  unset req.http.Forwarded;
  unset req.http.X-Forwarded-Host;
  unset req.http.X-Forwarded-Proto;
  set req.http.X-Forwarded-For = client.ip;
  set req.http.X-Forwarded-Prefix = "/store";
  return (pass);
}

sub vcl_backend_fetch {
  set bereq.url = regsub(bereq.url, "^/store", "");
}
