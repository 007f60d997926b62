#!/bin/sh
# Writes nginx.conf from its template and becomes nginx. Arguments go to nginx.
#   SHOP_BACKEND_URL  where the catalogue is fetched: http://HOST[:PORT]
# The image may say otherwise where things lie:
#   NGINX_MODULE (ngx_http_js_module.so), NGINX_PAGES (the built pages), NGINX_STATE (all that is written),
#   NGINX_PORT, NGINX_METRICS_PORT, NGINX_RESOLV_CONF
set -eu

here=$(cd "$(dirname "$0")" && pwd)
state=${NGINX_STATE:-/tmp/shop}
url=${SHOP_BACKEND_URL:-http://127.0.0.1:8000}

fail() {
    echo "entrypoint: $1" >&2
    exit 2
}

echo "$url" | grep -Eq '^http://[A-Za-z0-9.-]+(:[0-9]{1,5})?$' ||
    fail "SHOP_BACKEND_URL: \`$url\` is no address such as http://shop-backend:8000, without a slash at the end"
backend=${url#http://}
case $backend in *:*) ;; *) backend=$backend:80 ;; esac

module=${NGINX_MODULE:-}
for folder in /usr/lib/nginx/modules /etc/nginx/modules; do
    [ -n "$module" ] || [ ! -e "$folder/ngx_http_js_module.so" ] || module=$folder/ngx_http_js_module.so
done
[ -e "$module" ] || fail "NGINX_MODULE: there is no ngx_http_js_module.so"

# As `resolver` wants them: IPv6 in brackets.
resolver=$(awk '$1 == "nameserver" { if ($2 ~ /:/) printf "[%s] ", $2; else printf "%s ", $2 }' \
    "${NGINX_RESOLV_CONF:-/etc/resolv.conf}" 2>/dev/null || true)
# From 1.27.3 on nginx looks up an upstream's name again and again; before, once at its start.
version=$(nginx -v 2>&1 | sed 's|.*nginx/\([0-9.]*\).*|\1|')
newest=$(printf '1.27.3\n%s\n' "$version" | sort -t. -k1,1n -k2,2n -k3,3n | tail -n 1)
[ "$newest" != "$version" ] || [ -z "$resolver" ] || backend="$backend resolve"

mkdir -p "$state/cache" "$state/counts"
rm -f "$state"/counts/*
sed -e "s|@MODULE@|$module|g" \
    -e "s|@STATE@|$state|g" \
    -e "s|@HERE@|$here|g" \
    -e "s|@BACKEND@|$backend|g" \
    -e "s|@RESOLVER@|${resolver:-127.0.0.1 }|g" \
    -e "s|@PAGES@|${NGINX_PAGES:-/srv/pages}|g" \
    -e "s|@PORT@|${NGINX_PORT:-8080}|g" \
    -e "s|@METRICS_PORT@|${NGINX_METRICS_PORT:-9000}|g" \
    "$here/nginx.conf.template" >"$state/nginx.conf"

exec nginx -e stderr -p "$state/" -c "$state/nginx.conf" "$@"
