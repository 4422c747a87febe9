namespace Data2Vec.Kernels.Emulator;

/// <summary>
/// Reads one kernel: its parameters, directives and body. A name that an inner block declares is its own.
/// </summary>
internal sealed class PtxEntryParser(PtxReader reader, Dictionary<int, string> files)
{
    private readonly Stack<Dictionary<string, string>> scopes = new();
    private readonly PtxOperands operands = new(reader);
    private PtxEntry entry = null!;
    private PtxLocation? location;
    private int blocks;

    public PtxEntry Read()
    {
        entry = new PtxEntry(reader.Word(), reader.Line);
        if (reader.Take('('))
        {
            while (!reader.Take(')'))
            {
                entry.Parameters.Add(PtxVariables.Parameter(reader));
                reader.Take(',');
            }
        }
        while (!reader.Peek.Is('{')) Directive();
        Block();
        return entry;
    }

    /// <summary>What stands between the parameters and the body.</summary>
    private void Directive()
    {
        var name = reader.Word();
        var product = 1;
        while (reader.Peek.Kind != PtxTokenKind.Sign && reader.Peek.Text[0] != '.')
        {
            var number = name == ".pragma" ? reader.Next().Line : reader.Number();
            product *= number;
            reader.Take(',');
        }
        if (name is ".maxntid" or ".reqntid") entry.MostThreads = product;
        reader.Take(';');
    }

    private void Block()
    {
        reader.Expect('{');
        scopes.Push(new Dictionary<string, string>(StringComparer.Ordinal));
        var number = blocks++;
        foreach (var label in reader.LabelsAhead()) Declare(label, number);
        while (!reader.Take('}'))
        {
            if (reader.Peek.Is('{')) Block();
            else if (reader.Peek.Is('@')) Statement();
            else if (reader.Take(';')) continue;
            else if (reader.PeekSecond.Is(':')) Label(number);
            else if (reader.Peek.Text[0] == '.') BodyDirective(number);
            else Statement();
        }
        scopes.Pop();
    }

    private void Label(int block)
    {
        var label = Declare(reader.Word(), block);
        reader.Expect(':');
        if (reader.Take(".branchtargets"))
        {
            var targets = new List<string>();
            do
            {
                targets.Add(reader.Word());
            }
            while (reader.Take(','));
            reader.Expect(';');
            entry.BranchTargets[label] = [.. targets];
        }
        else if (reader.Peek.Text == ".callprototype") reader.SkipPast(';');
        else entry.Labels[label] = entry.Statements.Count;
    }

    private void BodyDirective(int block)
    {
        switch (reader.Peek.Text)
        {
            case ".reg":
                reader.Next();
                Registers(block);
                break;
            case ".shared" or ".local":
                foreach (var variable in PtxVariables.Read(reader))
                    entry.Variables.Add(variable with { Name = Declare(variable.Name, block) });
                break;
            case ".param":
                // Parameters of a call, which is refused when it is met.
                foreach (var variable in PtxVariables.Read(reader)) Declare(variable.Name, block);
                break;
            case ".loc":
                reader.Next();
                Location();
                break;
            case ".pragma":
                reader.Next();
                reader.SkipPast(';');
                break;
            default:
                throw reader.Unexpected("a directive of a kernel's body");
        }
    }

    private void Registers(int block)
    {
        var line = reader.Line;
        var type = reader.Word();
        if (type is ".v2" or ".v4") throw new PtxException(line, "Registers of vector type are not supported.");
        var bits = type == ".pred" ? 1 : PtxVariables.SizeOf(type) * 8;
        if (bits == 0) throw new PtxException(line, $"There is no register of type {type}.");
        do
        {
            var name = reader.Word();
            if (reader.Take('<'))
            {
                var count = reader.Number();
                reader.Expect('>');
                for (var i = 0; i < count; i++) entry.Registers[Declare(name + i, block)] = bits;
            }
            else entry.Registers[Declare(name, block)] = bits;
        }
        while (reader.Take(','));
        reader.Expect(';');
    }

    private void Location()
    {
        var (file, line) = (reader.Number(), reader.Number());
        reader.Number();
        PtxLocation? from = null;
        while (reader.Take(','))
        {
            switch (reader.Word())
            {
                case "function_name":
                    reader.Word();
                    if (reader.Take('+')) reader.Number();
                    break;
                case "inlined_at":
                    from = new PtxLocation(Name(reader.Number()), reader.Number(), null);
                    reader.Number();
                    break;
                default:
                    throw reader.Unexpected("function_name or inlined_at");
            }
        }
        location = line == 0 ? null : new PtxLocation(Name(file), line, from);
    }

    private string Name(int file) => files.GetValueOrDefault(file, $"file {file}");

    private void Statement()
    {
        string? guard = null;
        var negated = false;
        if (reader.Take('@'))
        {
            negated = reader.Take('!');
            guard = Resolve(reader.Word());
        }
        var line = reader.Line;
        var opcode = reader.Word();
        var list = new List<PtxOperand>();
        while (!reader.Take(';'))
        {
            list.Add(operands.Read(Resolve));
            if (!reader.Take(',') && !reader.Peek.Is(';')) throw reader.Unexpected("',' or ';'");
        }
        entry.Statements.Add(new PtxStatement(opcode, guard, negated, list, line, location));
    }

    /// <summary>A name of the outermost block stays; one of an inner block gets the block's number.</summary>
    private string Declare(string name, int block)
    {
        var own = block == 0 ? name : $"{name}#{block}";
        scopes.Peek()[name] = own;
        return own;
    }

    private string Resolve(string name)
    {
        foreach (var scope in scopes)
            if (scope.TryGetValue(name, out var own)) return own;
        return name;
    }
}
