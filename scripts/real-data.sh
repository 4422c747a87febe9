#!/usr/bin/env bash
# Real data that Debian packages carry, laid out as `--data` reads it:
#   text/wordnet      glosses of WordNet, one a line, a file for each semantic field    (wordnet-base)
#   speech/prompts    telephone prompts by one speaker, with their texts                (asterisk-core-sounds-en-wav)
#   speech/synthetic  glosses read by synthetic voices, in LibriSpeech's layout         (espeak-ng)
#   speech/names      names of the pictures, spoken, with their texts                   (tuxpaint-stamps-default)
#   pictures          a folder for each class of pictures, words.tsv with their names   (tuxpaint-stamps-default)
#   README.md, LICENCES  counts, and the copyright file of every package
# Installs nothing: packages are fetched into a cache (DATA2VEC_REAL_DATA_CACHE overrides it) with package lists of its
# own, and unpacked there; the programs among them run from there. About 550 MB of disk, a minute.
#
# usage: scripts/real-data.sh OUT [--utterances N] [--languages en,fr,...]
#   OUT            a folder that does not exist yet
#   --utterances   synthetic utterances, default 1000; 40 voices share them
#   --languages    languages of the spoken names, default en (there are also be bg ca da el es fr lt nl ro ru)
set -euo pipefail
export LC_ALL=C.UTF-8

cache=${DATA2VEC_REAL_DATA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/data2vec/real-data}
packages=(wordnet-base asterisk-core-sounds-en asterisk-core-sounds-en-wav tuxpaint-stamps-default
    espeak-ng espeak-ng-data libespeak-ng1 vorbis-tools)
programs=(espeak-ng vorbis-tools)

fail() { echo "real-data.sh: $*" >&2; exit 1; }
usage() { sed -n 's/^# \{0,1\}//; /^usage:/,/^  --languages/p' "$0" >&2; exit 2; }

out='' utterances=1000 languages=en
while (($#)); do
    case $1 in
        --utterances) utterances=${2-}; [[ $utterances =~ ^[0-9]+$ ]] || usage; shift 2 ;;
        --languages) languages=${2-}; [[ $languages =~ ^[a-zA-Z_]+(,[a-zA-Z_]+)*$ ]] || usage; shift 2 ;;
        -*) usage ;;
        *) [[ -z $out ]] || usage; out=$1; shift ;;
    esac
done
[[ -n $out ]] || usage
[[ ! -e $out ]] || fail "$out exists already; name a folder that does not"

# ---- Packages: fetched and unpacked once.
fetch() {
    command -v apt-get > /dev/null && command -v dpkg > /dev/null || fail "apt-get and dpkg are needed to fetch data"
    local work=$cache/apt
    rm -rf "$work" "$cache/root.new"
    mkdir -p "$work/lists/partial" "$work/archives/partial" "$cache/root.new"
    local apt=(apt-get -qq -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work" -o Debug::NoLocking=true
        -o APT::Sandbox::User=root -o APT::Install-Recommends=false)
    echo "fetching packages (190 MB)" >&2
    "${apt[@]}" update >&2 || fail "the package lists could not be read"
    (cd "$work/archives" && "${apt[@]}" download "${packages[@]}" >&2) || fail "the packages could not be downloaded"
    # The libraries that the programs need and this system lacks.
    "${apt[@]}" -y --download-only install "${programs[@]}" > /dev/null || fail "libraries could not be downloaded"
    local package
    for package in "$work"/archives/*.deb; do
        dpkg -x "$package" "$cache/root.new" || fail "could not unpack $package"
    done
    rm -rf "$cache/root" "$work"
    mv "$cache/root.new" "$cache/root"
}
[[ -d $cache/root ]] || fetch
root=$cache/root share=$cache/root/usr/share
libraries=$(find "$root" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
run() { LD_LIBRARY_PATH=$libraries "$@"; }
voice_data=$(dirname "$(find "$root/usr" -name phontab | head -n 1)")

# ---- Licences: what was agreed to is looked for, not taken for granted.
mkdir -p "$(dirname "$out")"
new=$(mktemp -d "$out.XXXXXX")
trap 'rm -rf "$new"' EXIT
mkdir -p "$new/LICENCES"
licence() {
    local file=$share/doc/$1/copyright
    grep -q -- "$2" "$file" || fail "$file does not name the licence that was expected, $2; look before using the data"
    cp "$file" "$new/LICENCES/$1"
}
licence wordnet-base 'License: WordNet3.0'
licence asterisk-core-sounds-en-wav 'License: CC-BY-SA-3.0'
licence tuxpaint-stamps-default 'License: GPL-2'
licence espeak-ng 'either version 3 of the License'
licence vorbis-tools 'GNU General Public License'

# What is said, in LibriSpeech's letters; nothing where a text holds what has no letters (tones, long numbers).
spoken='function spoken(text,   i) {
    if (text ~ /^\[/) return ""
    gsub(/\[[^]]*\]|\([^)]*\)/, " ", text); gsub(/\*/, " star ", text); gsub(/-|\//, " ", text)
    if (text ~ /[0-9][0-9]|[@#$%&+=<>_]/ || text ~ /[^ -~]/) return ""
    split("zero one two three four five six seven eight nine", digit, " ")
    for (i = 0; i < 10; i++) gsub(i, " " digit[i + 1] " ", text)
    gsub(/[^A-Za-z'"'"' ]/, " ", text); gsub(/ +/, " ", text); sub(/^ /, "", text); sub(/ $/, "", text)
    return toupper(text)
}'

# ---- Text: the gloss is what follows the bar; the second field is the number of the semantic field.
echo "text" >&2
mkdir -p "$new/text/wordnet"
fields='adj.all adj.pert adv.all noun.Tops noun.act noun.animal noun.artifact noun.attribute noun.body noun.cognition
    noun.communication noun.event noun.feeling noun.food noun.group noun.location noun.motive noun.object noun.person
    noun.phenomenon noun.plant noun.possession noun.process noun.quantity noun.relation noun.shape noun.state
    noun.substance noun.time verb.body verb.change verb.cognition verb.communication verb.competition verb.consumption
    verb.contact verb.creation verb.emotion verb.motion verb.perception verb.possession verb.social verb.stative
    verb.weather adj.ppl'
awk -v fields="$fields" -v out="$new/text/wordnet" '
    BEGIN { split(fields, name, " ") }
    /^[0-9]/ && (bar = index($0, " | ")) {
        gloss = substr($0, bar + 3); sub(/[ ;]+$/, "", gloss)
        if (gloss != "" && !seen[$2, gloss]++) print gloss > (out "/" name[$2 + 1] ".txt")
    }' "$share"/wordnet/data.{noun,verb,adj,adv}

# ---- Prompts: recordings without speech are left out, those without a plain text have no transcript.
echo "prompts" >&2
sounds=$share/asterisk/sounds/en_US_f_Allison
zcat "$share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz" | tr -d '\r' | grep -v '^;' | grep ': ' \
    | grep -v -e ': *\[' -e '^silence/' | while IFS= read -r line; do
    name=${line%%: *} text=$(awk "$spoken"' { print spoken($0) }' <<< "${line#*: }")
    [[ -e $sounds/$name.wav ]] || continue
    folder=$new/speech/prompts/$(dirname "$name")
    mkdir -p "$folder"
    cp "$sounds/$name.wav" "$folder/"
    [[ -z $text ]] || echo "$(basename "$name") $text" >> "$folder/prompts.trans.txt"
done

# ---- Synthetic speech: voice i reads glosses i, i + 40, ... of a list in an order that only its text decides.
echo "synthetic speech" >&2
accents=(en-us en-gb en-gb-scotland en-gb-x-rp en-029 en-us-nyc en-gb-x-gbclan en-gb-x-gbcwmd)
variants=(m1 f1 m3 f2 m7)
speech=$new/speech/synthetic
mkdir -p "$speech"
voices=$((${#accents[@]} * ${#variants[@]}))
awk "$spoken"'
    {
        sub(/;.*/, ""); text = spoken($0); words = split(text, word, " ")
        if (words < 5 || words > 24 || seen[text]++) next
        hash = 0
        for (i = 1; i <= length(text); i++) hash = (hash * 31 + index(letters, substr(text, i, 1))) % 16777213
        printf "%08d\t%s\n", hash, text
    }' letters="ABCDEFGHIJKLMNOPQRSTUVWXYZ '" "$new"/text/wordnet/*.txt \
    | sort | cut -f2 | awk -v n="$utterances" 'NR <= n' > "$speech/sentences"
[[ $(wc -l < "$speech/sentences") -eq $utterances ]] || fail "there are only $(wc -l < "$speech/sentences") fit glosses"
for ((voice = 0; voice < voices && voice < utterances; voice++)); do
    id=$((1001 + voice)) accent=${accents[voice % ${#accents[@]}]} variant=${variants[voice / ${#accents[@]}]}
    pitch=$((35 + voice * 7 % 30)) speed=$((135 + voice * 13 % 50))
    folder=$speech/$id/1
    mkdir -p "$folder"
    echo "$id $accent+$variant pitch $pitch speed $speed" >> "$speech/SPEAKERS.TXT"
    number=0
    while IFS= read -r sentence; do
        name=$(printf '%d-1-%04d' "$id" "$number")
        run "$root/usr/bin/espeak-ng" --path="$voice_data" -v "$accent+$variant" -p "$pitch" -s "$speed" \
            -w "$folder/$name.wav" "${sentence,,}" \
            || fail "espeak-ng could not speak with the voice $accent+$variant"
        echo "$name $sentence" >> "$folder/$id-1.trans.txt"
        number=$((number + 1))
    done < <(awk -v first=$((voice + 1)) -v step=$voices 'NR >= first && (NR - first) % step == 0' "$speech/sentences")
done
rm "$speech/sentences"

# ---- Pictures, their names in letters, and their names spoken.
echo "pictures and names" >&2
stamps=$share/tuxpaint/stamps
mkdir -p "$new/pictures"
unreadable=0
while IFS= read -r picture; do
    base=${picture%.png}
    mkdir -p "$new/pictures/$(dirname "$picture")"
    cp "$stamps/$picture" "$new/pictures/$picture"
    [[ -s $stamps/$base.txt ]] || continue
    printf '%s\t%s\n' "$picture" "$(head -n 1 "$stamps/$base.txt" | tr -d '\r')" >> "$new/pictures/words.tsv"
    for language in ${languages//,/ }; do
        if [[ $language == en ]]; then
            sound=$stamps/${base}_desc.ogg text=$(head -n 1 "$stamps/$base.txt" | awk "$spoken"' { print spoken($0) }')
        else
            sound=$stamps/${base}_desc_$language.ogg
            text=$(sed -n "s/^$language\.utf8=//p" "$stamps/$base.txt" | head -n 1 | sed 's/[[:punct:][:space:]]*$//')
        fi
        [[ -s $sound ]] || continue
        folder=$new/speech/names/$language name=${base//\//.}
        mkdir -p "$folder"
        if run "$root/usr/bin/oggdec" -Q -o "$folder/$name.wav" "$sound" 2> /dev/null; then
            [[ -z $text ]] || echo "$name $text" >> "$folder/names.trans.txt"
        else
            rm -f "$folder/$name.wav"; unreadable=$((unreadable + 1))
        fi
    done
done < <(cd "$stamps" && find . -name '*.png' -printf '%P\n' | sort)

# ---- What it came to.
count() { find "$new/$1" -name "$2" | wc -l; }
lines() { find "$new/$1" -name "$2" -exec cat {} + | wc -l; }
{
    echo "# Real data from Debian packages"
    echo
    echo "Made by scripts/real-data.sh. Not part of the repository: the licences below are those of the data."
    echo
    row() { echo "| $1 | $2 | $3 | $4 |"; }
    row folder content from licence
    row --- --- --- ---
    row text/wordnet "$(lines text '*.txt') glosses in $(count text '*.txt') semantic fields" wordnet-base \
        "WordNet 3.0 licence"
    row speech/prompts \
        "$(count speech/prompts '*.wav') recordings of one speaker, $(lines speech/prompts '*.trans.txt') with text" \
        asterisk-core-sounds-en-wav "CC-BY-SA 3.0 (Allison Smith)"
    row speech/synthetic \
        "$(count speech/synthetic '*.wav') utterances of $(lines speech/synthetic SPEAKERS.TXT) voices" \
        "espeak-ng reading wordnet-base" "text: WordNet 3.0 licence; espeak-ng: GPL-3+"
    row speech/names "$(count speech/names '*.wav') spoken names ($languages), $(lines speech/names '*.trans.txt')\
 with text, $unreadable unreadable" tuxpaint-stamps-default GPL-2
    row pictures "$(count pictures '*.png') pictures in $(ls -d "$new"/pictures/*/ | wc -l) classes, \
$(lines pictures words.tsv) with a name" tuxpaint-stamps-default GPL-2
    echo
    echo "The whole texts of the licences are in LICENCES, one file a package."
} > "$new/README.md"
chmod 755 "$new"
mv "$new" "$out"
trap - EXIT
cat "$out/README.md"
