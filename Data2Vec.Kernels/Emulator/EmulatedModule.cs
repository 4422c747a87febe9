namespace Data2Vec.Kernels.Emulator;

/// <summary>
/// A loaded module: its variables in device memory, and its kernels, decoded when they are first asked for.
/// </summary>
internal sealed unsafe class EmulatedModule
{
    private readonly PtxModule module;
    private readonly Dictionary<string, Allocation> variables = new(StringComparer.Ordinal);
    private readonly Dictionary<string, EmulatedKernel> kernels = new(StringComparer.Ordinal);

    /// <param name="name">What to call it in messages.</param>
    /// <param name="ptx">The text.</param>
    /// <param name="memory">Where its variables are to lie.</param>
    /// <exception cref="PtxException">It is not PTX.</exception>
    public EmulatedModule(string name, string ptx, GlobalMemory memory)
    {
        Name = name;
        module = PtxParser.Parse(ptx);
        foreach (var v in module.Variables.Where(v => v.Space is PtxSpace.Global or PtxSpace.Const))
        {
            var place = memory.Allocate(v.Bytes, $"variable {v.Name}", v.Space == PtxSpace.Const);
            // Variables without contents begin as zeros.
            new Span<byte>(place.Data, v.Bytes).Clear();
            v.Contents?.AsSpan(0, Math.Min(v.Bytes, v.Contents.Length)).CopyTo(new Span<byte>(place.Data, v.Bytes));
            new Span<byte>(place.Written, v.Bytes).Fill(ByteState.Written);
            variables[v.Name] = place;
        }
    }

    public string Name { get; }

    public IEnumerable<string> Entries => module.Entries.Keys;

    /// <summary>A kernel; null if there is none of this name.</summary>
    /// <exception cref="PtxException">It has an instruction that the emulator has not.</exception>
    public EmulatedKernel? Find(string entry)
    {
        if (kernels.TryGetValue(entry, out var kernel)) return kernel;
        if (!module.Entries.TryGetValue(entry, out var text)) return null;
        kernel = new EmulatedKernel(Name, module, text, n => variables.TryGetValue(n, out var v) ? v.Start : null);
        return kernels[entry] = kernel;
    }
}
