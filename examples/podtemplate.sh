#!/bin/sh
# Transforms stacks with templates, and deploys them. `podtemplate.sh --help` says how.
set -eu

# Names of variables begin with _, so that none of the user's changes, which stacks refer to.

_break='
'

usage() {
    cat <<'END'
Usage: podtemplate template [OPTIONS] FILE...
       podtemplate deploy [OPTIONS] STACK

template prints the stack that `podlike template` makes of the files; `-` is stdin. The word may be left out.
  -o, --output FILE    write it into a file
      --image IMAGE    the image of controllers whose templates name none
      --offline        fetch nothing from http and https addresses

deploy gives that stack to `docker stack deploy`, and takes its options:
  -c, --compose-file FILE      a stack with templates, `-` for stdin; more than once for files that are merged
  -d, --detach                 do not wait for the services
      --prune                  remove services that are no longer in the stack
  -q, --quiet                  do not show how it goes on
      --resolve-image WHEN     look up the digests of images: always, changed, never
      --with-registry-auth     give the logins for registries to the nodes
      --image IMAGE, --offline as above
Others are passed on as they are. Nothing is deployed where a template fails. The exit code is that of what failed.

Runs the podlike of this machine where there is one, else a container of its image, as this user, with the exported
variables. Then only the current folder and those of the named files are seen, at their own places and read-only.
  PODLIKE_IMAGE      run a container of this image
  PODLIKE_VERSION    run a container of rycus86/podlike with this tag (default: latest)
  PODLIKE_NETWORK    the network of that container (default: bridge; with host localhost is this machine)
END
}

fail() {
    echo "podtemplate: $*" >&2
    exit 2
}

needs_docker() { command -v docker >/dev/null || fail "there is no docker command, which it takes to $*"; }

# A word as the shell reads it back.
quoted() { printf '%s\n' "$1" | sed "s/'/'\\\\''/g; 1s/^/ '/; \$s/\$/'/"; }

# A folder without .. and with all of its path; nothing if there is none.
folder() { (CDPATH='' cd -- "$1" 2>/dev/null && pwd) || true; }

# A read-only mount of a path at its own place. Its notation is CSV: a quote within quotes is doubled.
mount_of() {
    _path=$(printf '%s\n' "$1" | sed 's/"/""/g')
    printf 'type=bind,"source=%s","target=%s",readonly\n' "$_path" "$_path"
}

# The paths that a container needs, a line each: our folder, those of the files, and where certificates are.
paths() {
    pwd
    for _word do
        case $_word in -*) continue ;; esac
        folder "$(dirname -- "$_word")"
        [ ! -L "$_word" ] || folder "$(dirname -- "$(readlink -f -- "$_word")")"
    done
    for _path in /etc/ssl/certs/ca-certificates.crt "${SSL_CERT_FILE-}"; do
        case $_path in /*) [ ! -f "$_path" ] || printf '%s\n' "$_path" ;; esac
    done
    printf '%s\n' "${SSL_CERT_DIR-}" | tr : '\n' | while read -r _path; do
        case $_path in /*) folder "$_path" ;; esac
    done
}

# The names of the exported variables but for those that only tell of this shell and its machine. HOME goes along: a stack
# may have paths with ~.
variables() {
    awk 'BEGIN {
        split("PATH PWD OLDPWD SHLVL _ SHELL TERM HOSTNAME AWKPATH AWKLIBPATH LD_LIBRARY_PATH LD_PRELOAD", own)
        for (i in own) skip[own[i]]
        for (name in ENVIRON) if (name ~ /^[A-Za-z_][A-Za-z0-9_]*$/ && !(name in skip)) print name
    }' | sort
}

# podlike template in a container.
contained() {
    needs_docker "run the image $_image"
    case $(pwd)$* in
        *"$_break"*) fail "a container cannot have a folder with a line break in its name: install podlike" ;;
    esac
    _paths=$(paths "$@" | sort -u)
    _stdin=
    for _word do
        [ "$_word" != - ] || _stdin=--interactive
    done
    set -f
    _old=$IFS
    IFS=$_break
    set -- "$_image" template "$@"
    for _path in $_paths; do
        [ "$_path" != / ] || fail "a container cannot have / as a folder: go to another one, or install podlike"
        set -- --mount "$(mount_of "$_path")" "$@"
    done
    # Names only: docker looks the values up by itself.
    for _name in $(variables); do
        set -- --env "$_name" "$@"
    done
    IFS=$_old
    set +f
    set -- run --rm --no-healthcheck --network "${PODLIKE_NETWORK:-bridge}" --workdir "$(pwd)" --user "$(id -u):$(id -g)" \
        --read-only --cap-drop ALL --security-opt no-new-privileges ${_stdin:+"$_stdin"} "$@"
    if [ -n "$_stdin" ]; then docker "$@"; else docker "$@" </dev/null; fi
}

transformed() {
    if [ -n "$_image" ]; then contained "$@"; else podlike template "$@"; fi
}

# Each of the words is looked at once, and what is passed on goes to the end of the list.
template() {
    _output=
    _files=
    _left=$#
    while [ "$_left" -gt 0 ]; do
        _word=$1
        shift
        _left=$((_left - 1))
        case $_word in
            -h | -help | --help)
                usage
                exit
                ;;
            -o | -output | --output)
                [ "$_left" -gt 0 ] || fail "$_word needs a file"
                _output=$1
                shift
                _left=$((_left - 1))
                ;;
            -o=* | -output=* | --output=*) _output=${_word#*=} ;;
            -image | --image)
                [ "$_left" -gt 0 ] || fail "$_word needs a value"
                set -- "$@" "$_word" "$1"
                shift
                _left=$((_left - 1))
                ;;
            -?*) set -- "$@" "$_word" ;;
            *)
                _files=some
                set -- "$@" "$_word"
                ;;
        esac
    done
    [ -n "$_files" ] || fail "no file is named, see podtemplate --help"
    if [ -z "$_output" ]; then
        transformed "$@"
    else
        _stack=$(transformed "$@") || exit
        printf '%s\n' "$_stack" >"$_output"
    fi
}

# Adds what follows -c to the files: a list with commas where no file is called so, as docker has it.
add_files() {
    if [ -e "$1" ]; then
        _files=$_files$(quoted "$1")
        return
    fi
    _rest=$1,
    while [ -n "$_rest" ]; do
        _files=$_files$(quoted "${_rest%%,*}")
        _rest=${_rest#*,}
    done
}

deploy() {
    _files=
    _options=
    _left=$#
    while [ "$_left" -gt 0 ]; do
        _word=$1
        shift
        _left=$((_left - 1))
        _value=
        case $_word in
            -c | --compose-file | -image | --image | --orchestrator)
                [ "$_left" -gt 0 ] || fail "$_word needs a value"
                _value=$1
                shift
                _left=$((_left - 1))
                ;;
            -c=* | --*=*) _value=${_word#*=} ;;
            -c?*) _value=${_word#-c} ;;
        esac
        case $_word in
            -h | --help)
                usage
                exit
                ;;
            -c* | --compose-file | --compose-file=*) add_files "$_value" ;;
            -image | --image) _options=$_options$(quoted "$_word")$(quoted "$_value") ;;
            -image=* | --image=* | -offline | --offline | -offline=* | --offline=*) _options=$_options$(quoted "$_word") ;;
            --orchestrator | --orchestrator=*)
                [ "$_value" = swarm ] || fail "--orchestrator: docker deploys to Swarm only by now"
                echo "podtemplate: --orchestrator is left out, docker has it no more" >&2
                ;;
            --kubeconfig | --kubeconfig=* | --namespace | --namespace=*)
                fail "${_word%%=*}: docker deploys to Swarm only by now"
                ;;
            --bundle-file | --bundle-file=*) fail "--bundle-file: a bundle has no templates, and docker takes none by now" ;;
            *) set -- "$@" "$_word" ;;
        esac
    done
    [ -n "$_files" ] || fail "no file is named with -c, see podtemplate --help"
    needs_docker "deploy"
    _stack=$(eval "transformed $_options$_files") || exit
    [ -n "$_stack" ] || fail "podlike printed nothing, so nothing is deployed"
    printf '%s\n' "$_stack" | docker stack deploy --compose-file - "$@"
}

_image=${PODLIKE_IMAGE-}
if [ -z "$_image" ] && { [ -n "${PODLIKE_VERSION-}" ] || ! command -v podlike >/dev/null; }; then
    _image=rycus86/podlike:${PODLIKE_VERSION:-latest}
fi
case ${1-} in
    template) shift && template "$@" ;;
    deploy) shift && deploy "$@" ;;
    -h | -help | --help | help) usage ;;
    '') usage >&2 && exit 2 ;;
    *) template "$@" ;;
esac
