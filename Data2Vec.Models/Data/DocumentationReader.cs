using System.Buffers;
using System.Text;
using System.Xml;

namespace Data2Vec.Models.Data;

/// <summary>Reads the summaries of an XML documentation file as plain sentences.</summary>
internal static class DocumentationReader
{
    private const int FewestWords = 3;

    // Summaries of machine instructions and the like are signatures and encodings, not sentences.
    private const double LeastShareOfPlainWords = 2 / 3.0;

    private static readonly SearchValues<char> Letters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-'");

    /// <summary>Kind (T, M, P, F, E) and summary of every documented member, in file order.</summary>
    /// <exception cref="XmlException">The file is no well-formed XML, or has a DTD.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static List<(char Kind, string Text)> Read(Stream stream)
    {
        var settings = new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            IgnoreComments = true,
            IgnoreProcessingInstructions = true,
        };
        var members = new List<(char, string)>();
        using var reader = XmlReader.Create(stream, settings);
        while (reader.Read())
        {
            if (reader.NodeType != XmlNodeType.Element || reader.Name != "member" || reader.IsEmptyElement) continue;
            var name = reader.GetAttribute("name") ?? "";
            if (name.Length < 2 || name[1] != ':' || !"TMPFE".Contains(name[0])) continue;
            var text = Summary(reader);
            if (IsProse(text)) members.Add((name[0], text));
        }
        return members;
    }

    /// <summary>True for at least three words, two thirds of them of nothing but letters and end punctuation.</summary>
    public static bool IsProse(string text)
    {
        int words = 0, plain = 0;
        foreach (var range in text.AsSpan().Split(' '))
        {
            var word = text.AsSpan(range).Trim("\"'()").TrimEnd(".,;:!?");
            words++;
            if (word.Length > 0 && !word.ContainsAnyExcept(Letters)) plain++;
        }
        return words >= FewestWords && plain >= words * LeastShareOfPlainWords;
    }

    private static string Summary(XmlReader reader)
    {
        var depth = reader.Depth;
        var text = "";
        while (reader.Read() && reader.Depth > depth)
            if (reader.NodeType == XmlNodeType.Element && reader.Depth == depth + 1 && reader.Name == "summary"
                && !reader.IsEmptyElement && text.Length == 0)
                text = Content(reader);
        return text;
    }

    /// <summary>The text inside the present element, white space collapsed; the reader ends on its end tag.</summary>
    private static string Content(XmlReader reader)
    {
        var depth = reader.Depth;
        var text = new StringBuilder();
        while (reader.Read() && reader.Depth > depth)
        {
            switch (reader.NodeType)
            {
                case XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.Whitespace
                    or XmlNodeType.SignificantWhitespace:
                    Append(text, reader.Value);
                    break;
                case XmlNodeType.Element when reader.Name == "code":
                    SkipInside(reader);
                    break;
                case XmlNodeType.Element when reader.IsEmptyElement:
                    Append(text, Reference(reader));
                    break;
                case XmlNodeType.Element or XmlNodeType.EndElement:
                    if (IsBlock(reader.Name)) Append(text, " ");
                    break;
            }
        }
        return text.ToString().TrimEnd();
    }

    // Like Skip(), but stays on the end tag, so that the next Read() does not jump over what follows.
    private static void SkipInside(XmlReader reader)
    {
        var depth = reader.Depth;
        if (!reader.IsEmptyElement) while (reader.Read() && reader.Depth > depth) { }
    }

    private static bool IsBlock(string name) =>
        name is "para" or "list" or "item" or "term" or "description" or "listheader" or "p" or "br" or "li" or "ul";

    private static string Reference(XmlReader reader) => reader.Name switch
    {
        "see" or "seealso" => reader.GetAttribute("langword") is { } word ? word
            : reader.GetAttribute("cref") is { } target ? ShortName(target) : "",
        "paramref" or "typeparamref" => reader.GetAttribute("name") ?? "",
        var name => IsBlock(name) ? " " : "",
    };

    /// <summary>"M:System.String.Format(System.String)" to "Format"; constructors to the name of their type.</summary>
    public static string ShortName(string reference)
    {
        var name = reference.AsSpan(reference.Length > 1 && reference[1] == ':' ? 2 : 0);
        if (name.IndexOfAny("({[") is var parameters and >= 0) name = name[..parameters];
        if (name.EndsWith(".#ctor") || name.EndsWith(".#cctor")) name = name[..name.LastIndexOf('.')];
        name = name[(name.LastIndexOfAny('.', '#') + 1)..];
        if (name.IndexOf('`') is var arity and >= 0) name = name[..arity];
        return name.ToString();
    }

    private static void Append(StringBuilder text, string more)
    {
        foreach (var c in more)
            if (!char.IsWhiteSpace(c)) text.Append(c);
            else if (text.Length > 0 && text[^1] != ' ') text.Append(' ');
    }
}
