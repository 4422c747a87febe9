namespace Data2Vec.Kernels.Emulator;

/// <summary>Reads operands of instructions. Source: PTX ISA 8.4, section 6.</summary>
internal sealed class PtxOperands(PtxReader reader)
{
    /// <summary>The operand that comes next.</summary>
    /// <param name="resolve">Gives the declared name for a written one.</param>
    public PtxOperand Read(Func<string, string> resolve)
    {
        if (reader.Take('[')) return Address(resolve);
        if (reader.Take('{')) return List(resolve, '}', PtxOperandKind.Vector);
        if (reader.Take('(')) return List(resolve, ')', PtxOperandKind.Group);
        var negated = reader.Take('!');
        var minus = reader.Take('-');
        var line = reader.Line;
        var word = reader.Word();
        if (minus || PtxNumbers.Is(word))
        {
            var (bits, kind) = PtxNumbers.Parse(word, minus, line);
            return new PtxOperand { Kind = PtxOperandKind.Number, Value = bits, Float = kind };
        }
        var second = reader.Take('|') ? resolve(reader.Word()) : null;
        var offset = Offset();
        return offset == 0 ? new PtxOperand { Kind = PtxOperandKind.Name, Name = resolve(word), Second = second,
            Negated = negated }
            : new PtxOperand { Kind = PtxOperandKind.Name, Name = resolve(word), Value = offset };
    }

    private PtxOperand Address(Func<string, string> resolve)
    {
        var line = reader.Line;
        var word = reader.Word();
        var name = "";
        long offset = 0;
        if (PtxNumbers.Is(word)) offset = PtxNumbers.Parse(word, false, line).Bits;
        else name = resolve(word);
        offset += Offset();
        reader.Expect(']');
        return new PtxOperand { Kind = PtxOperandKind.Address, Name = name, Value = offset };
    }

    /// <summary>"+4", "-4" or "+-4", or nothing.</summary>
    private long Offset()
    {
        var plus = reader.Take('+');
        var minus = reader.Take('-');
        if (!plus && !minus) return 0;
        var line = reader.Line;
        return PtxNumbers.Parse(reader.Word(), minus, line).Bits;
    }

    private PtxOperand List(Func<string, string> resolve, char end, PtxOperandKind kind)
    {
        var parts = new List<PtxOperand>();
        while (!reader.Take(end))
        {
            parts.Add(Read(resolve));
            reader.Take(',');
        }
        return new PtxOperand { Kind = kind, Parts = parts };
    }
}
