using Data2Vec.Models.Text;

namespace Data2Vec.Models.Evaluation;

/// <summary>Tells which tokens of a sequence are whole words and not parts of longer ones.</summary>
internal sealed class WholeWords
{
    private readonly bool[] opens;
    private readonly bool[] continues;

    public WholeWords(ByteLevelBpe tokenizer)
    {
        var tokens = tokenizer.Vocabulary.Tokens;
        opens = new bool[tokens.Count];
        continues = new bool[tokens.Count];
        for (var id = 0; id < tokens.Count; id++)
        {
            if (tokenizer.IsSpecial(id)) continue;
            var token = tokens[id];
            opens[id] = token.Length > 1 && token[0] == ByteCharacters.Space && token.Skip(1).All(char.IsAsciiLetter);
            // Whatever is glued to a word and is no punctuation makes it part of something longer: "is|n't", "x|86".
            continues[id] = token[0] != ByteCharacters.Space && ".,;:!?)\"".IndexOf(token[0]) < 0;
        }
    }

    /// <summary>True where a token is a space and letters, and the next one begins something new.</summary>
    public bool At(int[] ids, int position) => opens[ids[position]] && !continues[ids[position + 1]];

    /// <summary>Positions of all whole words; neither end of a sequence is one.</summary>
    public List<int> In(int[] ids)
    {
        var positions = new List<int>();
        for (var i = 1; i + 1 < ids.Length; i++) if (At(ids, i)) positions.Add(i);
        return positions;
    }
}
