#!/bin/bash
# Runs the pod of this folder on a real engine, and shows that it works, and that it ends without a trace.
# Usage: make demo, which brings up the engine and builds the images `podlike`, `demo/app` and `demo/nginx` first
set -euo pipefail
cd "$(dirname "$0")/../.."
output=$(mktemp)
pod=
bold='' plain=''
[ ! -t 1 ] || { bold=$'\e[1m' plain=$'\e[0m'; }

say() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
fail() {
    printf '\ndemo: %s\n' "$*" >&2
    sed 's/^/  | /' "$output" >&2
    exit 1
}
containers() { docker ps --all --filter 'name=^/web(\.podlike\..+)?$' "$@"; }
request() { curl --noproxy '*' --silent --show-error --include --fail --max-time 5 "http://localhost:$port/"; }
taken() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
clean_up() {
    if [ -n "$pod" ]; then
        kill -KILL "$pod" 2>/dev/null || true
        docker rm --force --volumes web
        containers --quiet | xargs --no-run-if-empty docker rm --force --volumes
    fi >/dev/null 2>&1 || true
    rm -f "$output"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

[ -z "$(containers --quiet)" ] || { containers; fail "these containers are in the way, please remove them first"; }
command -v curl >/dev/null || .ci/apt.sh install curl
port=8080
while taken $port; do port=$((port + 1)); done

say "A pod: an application that listens on 127.0.0.1 only, and nginx as its caching reverse proxy"
command=$(sed "s/8080/$port/" <<'END'
docker run --rm --name web -p 8080:80 -v /var/run/docker.sock:/var/run/docker.sock:ro \
  -v $PWD/examples/sidecar/nginx.conf:/var/conf/nginx.conf:ro \
  --label pod.component.app='{image: demo/app, environment: [HTTP_HOST=127.0.0.1, HTTP_PORT=12000]}' \
  --label pod.component.proxy='image: demo/nginx' \
  --label pod.copy.proxy=/var/conf/nginx.conf:/etc/nginx/conf.d/default.conf \
  podlike -logs
END
)
echo "$command"
bash -c "exec $command" >"$output" 2>&1 &
pod=$!

deadline=$((SECONDS + 60))
until answer=$(request 2>&1); do
    kill -0 $pod 2>/dev/null || { wait $pod && code=0 || code=$?; fail "the pod ended with exit code $code before it answered:"; }
    [ $SECONDS -lt $deadline ] || fail "no answer within a minute ($answer), this is the output of the pod:"
    sleep 0.2
done

say "Its page, requested through the published port: a miss of the cache, answered by the application"
echo "$answer"
[[ $answer == *'X-Cache-Status: MISS'* ]] || fail "this is not a miss:"

say "The same again: a hit, answered by nginx alone"
answer=$(request) || fail "no second answer:"
echo "$answer"
[[ $answer == *'X-Cache-Status: HIT'* ]] || fail "this is not a hit:"

say "The pod's containers"
containers
[ "$(containers --quiet | wc -l)" = 3 ] || fail "these should be three:"

say "The logs of both components, interleaved by the controller"
docker logs web
for component in app proxy; do
    grep -q "\] $component: " "$output" || fail "there is no line of '$component':"
done

say "SIGTERM to the controller"
docker kill --signal TERM web
deadline=$((SECONDS + 30))
while kill -0 $pod 2>/dev/null; do
    [ $SECONDS -lt $deadline ] || fail "the pod still runs 30 seconds later:"
    sleep 0.1
done
wait $pod && code=0 || code=$?
echo "ended with exit code $code"
[ "$code" = 0 ] || fail "it should be 0:"
containers
[ -z "$(containers --quiet)" ] || fail "these containers are left:"

say "No container is left. The engine stays up, for make test; make engine-down ends one that make engine started"
