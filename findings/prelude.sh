# Sourced by every finding. It makes a temporary folder, and removes the folder at exit.
#   install NAME@VERSION ...   puts these packages, and no others, into that folder
#   program <<'END'            the JavaScript to run there
#   expect <<'END'             runs the program, and fails when it prints anything else
set -euo pipefail

finding=$(basename "$0" .sh)
folder=$(mktemp -d "${TMPDIR:-/tmp}/finding-$finding.XXXXXX")
trap 'rm -rf "$folder"' EXIT
# The process's zone is part of what some libraries answer: it is the same on every machine.
export TZ=UTC

install() {
  rm -rf "$folder/node_modules"
  # Without a package.json, npm would install into whichever parent folder has one.
  echo '{"private":true,"type":"module"}' > "$folder/package.json"
  (cd "$folder" && npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error "$@") > /dev/null
}

program() {
  cat > "$folder/program.js"
}

expect() {
  cat > "$folder/expected.txt"
  (cd "$folder" && node program.js) | tee "$folder/seen.txt"
  if diff -u --label expected --label seen "$folder/expected.txt" "$folder/seen.txt"; then
    echo "$finding: as described"
  else
    echo "$finding: no longer as described" >&2
    exit 1
  fi
}
