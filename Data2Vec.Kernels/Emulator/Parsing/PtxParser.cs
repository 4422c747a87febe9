namespace Data2Vec.Kernels.Emulator;

/// <summary>
/// Reads a module: directives, variables and entries. Device functions are skipped: the compilers that we run inline
/// all of them, and a call is refused when a kernel meets it.
/// </summary>
internal sealed class PtxParser
{
    private readonly PtxReader reader;
    private readonly PtxModule module = new();
    private readonly Dictionary<int, string> files;

    private PtxParser(string text)
    {
        reader = new PtxReader(text);
        files = reader.Files();
    }

    /// <summary>The module of a PTX text.</summary>
    /// <exception cref="PtxException">It is not PTX.</exception>
    public static PtxModule Parse(string text)
    {
        var parser = new PtxParser(text);
        while (parser.reader.Peek.Kind != PtxTokenKind.End) parser.Directive();
        return parser.module;
    }

    private void Directive()
    {
        switch (reader.Peek.Text)
        {
            case ".version" or ".address_size" or ".pragma":
                reader.Next();
                reader.Next();
                reader.Take(';');
                break;
            case ".target":
                reader.Next();
                do
                {
                    var target = reader.Word();
                    if (target.StartsWith("sm_", StringComparison.Ordinal))
                        module.Target = int.Parse(new string([.. target.Where(char.IsAsciiDigit)]));
                }
                while (reader.Take(','));
                break;
            case ".file":
                reader.Next();
                reader.Number();
                reader.Next();
                while (reader.Take(',')) reader.Next();
                break;
            case ".section":
                reader.Next();
                reader.Next();
                reader.SkipBlock();
                break;
            case ".visible" or ".extern" or ".weak" or ".common":
                reader.Next();
                break;
            case ".entry":
                reader.Next();
                var entry = new PtxEntryParser(reader, files).Read();
                module.Entries[entry.Name] = entry;
                break;
            case ".func":
                SkipFunction();
                break;
            case ".global" or ".const" or ".shared":
                module.Variables.AddRange(PtxVariables.Read(reader));
                break;
            default:
                throw reader.Unexpected("a directive");
        }
    }

    /// <summary>A device function ends with its body, or with ';' if it is only declared.</summary>
    private void SkipFunction()
    {
        while (!reader.Peek.Is('{'))
        {
            if (reader.Next().Is(';')) return;
        }
        reader.SkipBlock();
    }
}
