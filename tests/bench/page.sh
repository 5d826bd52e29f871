# SPDX-License-Identifier: MIT
# What the benches share: medians, and how a table gets into docs/PERFORMANCE.md. Sourced; needs $ROOT, $RESULTS.
progress() { echo "  $*" >&2; }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
spread() { sort -n | awk 'NR == 1 { least = $1 } { most = $1 } END { printf "%.0f-%.0f", least, most }'; }
column() { awk -v c="$2" '{ print $c }' "$RESULTS/$1.txt"; }
machine() { echo "$(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"; }

# page_put FILE NAME: FILE goes between <!-- NAME --> and <!-- end of NAME -->
page_put() {
    local page=$ROOT/docs/PERFORMANCE.md
    [ -w "$page" ] || return 0
    grep -q "^<!-- $2 -->\$" "$page" || { echo "docs/PERFORMANCE.md has no place for the $2" >&2; return 1; }
    awk -v table="$1" -v name="$2" '
        $0 == "<!-- " name " -->" { print; while ((getline line < table) > 0) print line; skip = 1; next }
        $0 == "<!-- end of " name " -->" { skip = 0 }
        !skip { print }' "$page" >"$page.new" && cat "$page.new" >"$page"
    rm -f "$page.new"
}
