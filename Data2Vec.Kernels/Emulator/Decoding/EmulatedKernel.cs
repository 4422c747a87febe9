namespace Data2Vec.Kernels.Emulator;

/// <summary>A decoded kernel: code, registers, and where its variables lie.</summary>
internal sealed class EmulatedKernel
{
    /// <summary>Bytes between shared variables: once round the banks.</summary>
    private const int SharedGap = 128;

    private readonly Dictionary<string, ulong> offsets = new(StringComparer.Ordinal);
    private readonly List<(int Offset, PtxVariable Variable)> shared = [];

    /// <summary>Decodes an entry.</summary>
    /// <param name="moduleName">What its module is called.</param>
    /// <param name="module">Its module, for shared variables declared there.</param>
    /// <param name="entry">The entry.</param>
    /// <param name="globals">Addresses of global and constant variables.</param>
    /// <exception cref="PtxException">The emulator has no such instruction.</exception>
    public EmulatedKernel(string moduleName, PtxModule module, PtxEntry entry, Func<string, ulong?> globals)
    {
        (ModuleName, Name) = (moduleName, entry.Name);
        MostThreads = entry.MostThreads;
        foreach (var p in entry.Parameters)
        {
            ParameterBytes = Align(ParameterBytes, p.Align);
            offsets[p.Name] = (ulong)ParameterBytes;
            Parameters.Add((ParameterBytes, p));
            ParameterBytes += p.Bytes;
        }
        PlaceLocal(entry);
        PlaceShared(module, entry);
        var decoder = new Decoder(entry, Registers, name => offsets.TryGetValue(name, out var o) ? o : globals(name));
        Code = new Instruction[entry.Statements.Count + 1];
        for (var i = 0; i < entry.Statements.Count; i++) Code[i] = decoder.Decode(entry.Statements[i], i);
        // A body may end without ret.
        Code[^1] = decoder.Decode(new PtxStatement("ret", null, false, [], entry.Line, null), entry.Statements.Count);
        MeetingPoints.Find(Code);
        SharedGrain = Grain();
    }

    public string ModuleName { get; }

    public string Name { get; }

    public Instruction[] Code { get; }

    public RegisterLayout Registers { get; } = new();

    /// <summary>Parameters and their offsets.</summary>
    public List<(int Offset, PtxVariable Variable)> Parameters { get; } = [];

    public int ParameterBytes { get; }

    public int LocalBytes { get; private set; }

    /// <summary>Static shared memory as the hardware would count it.</summary>
    public int SharedBytes { get; private set; }

    /// <summary>Static shared variables and where the emulator puts them.</summary>
    public IReadOnlyList<(int Offset, PtxVariable Variable)> SharedVariables => shared;

    /// <summary>Where dynamic shared memory begins.</summary>
    public int DynamicOffset { get; private set; }

    /// <summary>Bytes of the smallest access that may go to shared memory.</summary>
    public int SharedGrain { get; }

    public int MostThreads { get; }

    /// <summary>Dynamic shared memory that launches may ask for.</summary>
    public int MostDynamicShared { get; set; } = 48 * 1024;

    private void PlaceLocal(PtxEntry entry)
    {
        foreach (var v in entry.Variables.Where(v => v.Space == PtxSpace.Local))
        {
            LocalBytes = Align(LocalBytes, v.Align);
            offsets[v.Name] = (ulong)LocalBytes;
            LocalBytes += v.Bytes;
        }
        LocalBytes = Align(LocalBytes, 16);
    }

    private void PlaceShared(PtxModule module, PtxEntry entry)
    {
        var used = new HashSet<string>(StringComparer.Ordinal);
        foreach (var statement in entry.Statements)
            foreach (var operand in statement.Operands) used.Add(operand.Name);
        var all = module.Variables.Concat(entry.Variables).Where(
            v => v.Space == PtxSpace.Shared && used.Contains(v.Name)).ToArray();
        var dynamicAlign = 16;
        foreach (var v in all.Where(v => v.Bytes > 0))
        {
            SharedBytes = Align(SharedBytes, v.Align);
            var offset = SharedBytes + SharedGap * shared.Count;
            offsets[v.Name] = (ulong)offset;
            shared.Add((offset, v));
            SharedBytes += v.Bytes;
        }
        foreach (var v in all.Where(v => v.Bytes == 0)) dynamicAlign = Math.Max(dynamicAlign, v.Align);
        DynamicOffset = Align(SharedBytes, dynamicAlign) + SharedGap * shared.Count;
        foreach (var v in all.Where(v => v.Bytes == 0)) offsets[v.Name] = (ulong)DynamicOffset;
    }

    private int Grain()
    {
        var least = 16;
        foreach (var i in Code)
        {
            if (i.Size > 0 && i.Space is PtxSpace.Shared or PtxSpace.Generic && i.Class is InstructionClass.Shared
                or InstructionClass.Global or InstructionClass.Atomic) least = Math.Min(least, i.Size);
        }
        return Math.Min(4, least);
    }

    private static int Align(int value, int align) => (value + align - 1) / align * align;
}
