#!/usr/bin/env bash
# Stands in for aws: `s3 cp` between files and buckets below $HUB, as far as the examples use it. Anything else is an error.
set -euo pipefail

printf 'aws %s\n' "$*" >> "$HUB/calls"
[ $# -eq 5 ] && [ "$1 $2 $3" = "s3 cp --only-show-errors" ] || { printf 'aws: not expected: %s\n' "$*" >&2; exit 64; }
if [ -e "$HUB/bucket-is-read-only" ] && [[ $5 == s3://* ]]; then
    printf 'upload failed: (AccessDenied)\n' >&2
    exit 1
fi
place() { case $1 in s3://*) printf '%s' "$HUB/bucket/${1#s3://}" ;; *) printf '%s' "$1" ;; esac; }
cp "$(place "$4")" "$(place "$5")"
