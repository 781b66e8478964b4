#!/usr/bin/env bash
# Stands in for gh and glab: `api` over items and `release download` of files kept below $HUB, as far as the examples use it. Anything else is an error.
set -euo pipefail

printf '%s %s\n' "${0##*/}" "$*" >> "$HUB/calls"
refuse() { printf '%s: not expected: %s\n' "${0##*/}" "$1" >&2; exit 64; }

if [ "${0##*/} $1 $2" = "gh release download" ]; then
    # A release is a folder; what is asked for by name is copied to where gh is run.
    shift 2
    from=$HUB/releases/$1
    shift
    while [ $# -gt 0 ]; do
        case $1 in
            --repo) shift 2 ;;
            --clobber) shift ;;
            --pattern) cp "$from/$2" .; shift 2 ;;
            *) refuse "$1" ;;
        esac
    done
    exit 0
fi
[ "$1" = api ] || refuse "$1"
shift
method=GET path='' filter='' fields='{}'
while [ $# -gt 0 ]; do
    case $1 in
        --method) method=$2; shift 2 ;;
        --jq) [ "${0##*/}" = gh ] || refuse "$1"; filter=$2; shift 2 ;;
        --silent) [ "${0##*/}" = gh ] || refuse "$1"; shift ;;
        --paginate) shift ;;
        -F) file=${2#*=@}; [ "$file" != "$2" ] || refuse "$2"
            fields=$(jq --arg name "${2%%=*}" --rawfile value "$file" '.[$name] = $value' <<< "$fields"); shift 2 ;;
        -f) fields=$(jq --arg name "${2%%=*}" --arg value "${2#*=}" '.[$name] = $value' <<< "$fields"); shift 2 ;;
        -*) refuse "$1" ;;
        *) [ -z "$path" ] || refuse "$1"; path=$1; shift ;;
    esac
done
bare=${path%%\?*}

case $method in
    GET)
        if [ -e "$HUB/canned/${bare//\//-}" ]; then
            answer=$(cat "$HUB/canned/${bare//\//-}")
        else
            answer=$(jq --slurp --arg bare "$bare" --arg path "$path" \
                'map(select(.collection == $bare and (($path | test("state=open") | not) or .open)))' \
                "$HUB"/items/*)
        fi ;;
    POST)
        number=$(($(ls "$HUB/items" | wc -l) + 1))
        answer=$(jq --argjson number "$number" --arg bare "$bare" '. + {id: $number, number: $number, iid: $number,
            collection: $bare, open: true, user: {login: "github-actions[bot]"}, author: {username: "pipeline"}}' <<< "$fields")
        printf '%s\n' "$answer" > "$HUB/items/$number" ;;
    PATCH | PUT)
        item=$HUB/items/${bare##*/}
        [ -s "$item" ] || refuse "$path"
        answer=$(jq --argjson fields "$fields" '. + $fields | .open = (.state != "closed" and .state_event != "close")' "$item")
        printf '%s\n' "$answer" > "$item" ;;
    *) refuse "$method" ;;
esac
if [ -n "$filter" ]; then
    jq --raw-output "$filter" <<< "$answer"
elif [ "${0##*/}" = glab ] || [ "$method" = GET ]; then
    printf '%s\n' "$answer"
fi
