# To be sourced: runs the steps of a longer job, each under a heading, with the time that it took.

phase() {
    local name=$1 start=$SECONDS
    shift
    printf '\n== %s\n' "$name"
    if ! "$@"; then
        printf -- '-- %s: FAILED after %d s\n' "$name" $((SECONDS - start)) >&2
        exit 1
    fi
    printf -- '-- %s: %d s\n' "$name" $((SECONDS - start))
}
