#!/bin/sh
# The steps of `make setup`. When one fails, the last line says what to do.
#   set-up.sh environment PYTHON FOLDER UV_VERSION   an empty environment with the installer in it
#   set-up.sh install FOLDER ARGUMENTS...            what the arguments name, into it
#   set-up.sh ahead FOLDER                           compile what the first command would otherwise wait for
set -eu
NEEDED_MB=1500
# Modules that no everyday command imports; Python compiles them when one does.
SELDOM='/(tests?|pip|setuptools|matplotlib|mpl_toolkits|fontTools|openai|docutils)/'

stop() {
  echo "Set-up stopped: $1" >&2
  exit 2
}

free_mb() {
  df -Pm "$1" 2>/dev/null | awk 'NR == 2 { print $4 }'
}

# What to do about a step that failed, from what it printed.
explain() {
  cat "$2" >&2
  if [ "$(free_mb .)" = 0 ] || [ "$(free_mb "$2")" = 0 ] || grep -qiE 'no space left|os error 28|quota' "$2"; then
    stop "the disk is full. Free some $NEEDED_MB MB where the environment, TMPDIR and UV_CACHE_DIR are ($(pwd -P) has $(free_mb .) MB), then run make again."
  elif grep -qiE 'permission denied|read-only file system|os error (13|30)' "$2"; then
    stop "$(id -un) may not write a folder that is named above. Clone into a folder of your own, or set HOME and UV_CACHE_DIR to ones that you may write."
  elif grep -qiE 'ensurepip|No module named venv' "$2"; then
    stop "$1 has no module venv. On Debian or Ubuntu: apt-get install ${1##*/}-venv."
  elif grep -qiE 'dns error|resolve|connect|timed out|timeout|network' "$2"; then
    stop "the package index cannot be reached. Check the network, or name yours in PIP_INDEX_URL and UV_DEFAULT_INDEX."
  fi
  stop "see above; remove $3 and run make again. If that does not help, report it with these lines."
}

run() {
  command="$1" folder="$2"
  shift 2
  log=$(mktemp 2>/dev/null) || stop "no temporary file can be made: the disk of ${TMPDIR:-/tmp} is full or not yours. Set TMPDIR to a folder with $NEEDED_MB MB."
  trap 'rm -f "$log"' EXIT
  "$@" >"$log" 2>&1 || explain "$command" "$log" "$folder"
  rm -f "$log"
}

check_python() {
  found=$("$1" -c 'import sys; print("%d %d" % sys.version_info[:2])' 2>/dev/null) ||
    stop "there is no $1. On Debian or Ubuntu: apt-get install python3.11-venv; or name one: make setup PYTHON=/path/to/python3.11."
  case "$found" in
    "3 11" | "3 12") ;;
    *) stop "$1 is Python ${found% *}.${found#* }, and 3.11 or 3.12 is needed. Name one: make setup PYTHON=/path/to/python3.11." ;;
  esac
}

check_folder() {
  [ -w . ] || stop "$(id -un) may not write $(pwd -P). Clone into a folder of your own."
  free=$(free_mb .)
  [ "${free:-$NEEDED_MB}" -ge "$NEEDED_MB" ] ||
    stop "the disk of $(pwd -P) has $free MB left, and $NEEDED_MB MB are needed. Free some, or clone onto another disk."
}

case "$1" in
  environment)
    check_python "$2"
    check_folder
    run "$2" "$3" "$2" -m venv "$3"
    run "$2" "$3" "$3/bin/python" -m pip install --quiet --disable-pip-version-check "uv==$4"
    ;;
  install)
    folder="$2"
    shift 2
    run python "$folder" "$folder/bin/uv" pip install --quiet --python "$folder/bin/python" "$@"
    ;;
  ahead)
    echo "Compiling the engine's kernels and what every command imports, once for this version"
    for packages in "$2"/lib/python3.*/site-packages; do
      "$2/bin/python" -m compileall -q -x "$SELDOM" "$packages" >/dev/null 2>&1 &
    done
    "$2/bin/python" -m tools.compile_ahead || echo "Kernels will be compiled when they are first called."
    wait
    ;;
  *) stop "unknown step $1" ;;
esac
