using System.Text.Json;
using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Bench.Conformance;

/// <summary>
/// The arguments of one recorded call: tensors by name (a list argument has name.0, name.1, ...) and the rest from the
/// manifest. It notes what was read, so that an argument nobody looked at does not go unnoticed.
/// </summary>
internal sealed class OpCall(
    Device device, DType type, string variant, IReadOnlyDictionary<string, Tensor> tensors, JsonElement arguments,
    DeviceMemory memory)
{
    private readonly HashSet<string> read = [];

    public Device Device => device;

    /// <summary>The floating-point type that the case runs in.</summary>
    public DType Type => type;

    /// <summary>Name of the case, for those whose name is the only thing that tells two computations apart.</summary>
    public string Variant => variant;

    /// <summary>A tensor argument.</summary>
    /// <exception cref="NotExpressibleException">It is absent or a number.</exception>
    public Tensor this[string name] => Maybe(name) ?? throw (Given(name)
        ? new SignatureException($"{name} is a tensor and not a number")
        : new NotExpressibleException($"the argument {name} is not given"));

    /// <summary>A tensor argument that may be absent.</summary>
    public Tensor? Maybe(string name)
    {
        read.Add(name);
        return tensors.GetValueOrDefault(name);
    }

    /// <summary>A list of tensors.</summary>
    public Tensor[] List(string name)
    {
        read.Add(name);
        var list = new List<Tensor>();
        while (tensors.TryGetValue($"{name}.{list.Count}", out var t)) list.Add(t);
        return [.. list];
    }

    /// <summary>True when there is such an argument that is not null and no tensor.</summary>
    public bool Given(string name)
    {
        read.Add(name);
        return arguments.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null;
    }

    public double Number(string name, double otherwise) =>
        Given(name) ? NumberOf(arguments.GetProperty(name)) : otherwise;

    public int Integer(string name, int otherwise) => Given(name) ? arguments.GetProperty(name).GetInt32() : otherwise;

    public bool Flag(string name, bool otherwise = false) =>
        Given(name) ? arguments.GetProperty(name).GetBoolean() : otherwise;

    public string Word(string name, string otherwise) =>
        Given(name) ? arguments.GetProperty(name).GetString()! : otherwise;

    /// <summary>One integer or a list of them; null when not given.</summary>
    public int[]? Integers(string name)
    {
        if (!Given(name)) return null;
        var value = arguments.GetProperty(name);
        return value.ValueKind == JsonValueKind.Array
            ? [.. value.EnumerateArray().Select(v => v.GetInt32())]
            : [value.GetInt32()];
    }

    /// <summary>One number or a list of them; null when not given.</summary>
    public double[]? Numbers(string name)
    {
        if (!Given(name)) return null;
        var value = arguments.GetProperty(name);
        return value.ValueKind == JsonValueKind.Array
            ? [.. value.EnumerateArray().Select(NumberOf)]
            : [NumberOf(value)];
    }

    /// <summary>True for a list, also an empty one.</summary>
    public bool IsList(string name) => Given(name) && arguments.GetProperty(name).ValueKind == JsonValueKind.Array;

    /// <summary>True for a name, as of a kind of padding.</summary>
    public bool IsWord(string name) => Given(name) && arguments.GetProperty(name).ValueKind == JsonValueKind.String;

    /// <summary>A list of pairs of integers.</summary>
    public (int First, int Second)[] Pairs(string name)
    {
        if (!Given(name)) return [];
        return [.. arguments.GetProperty(name).EnumerateArray().Select(v => (v[0].GetInt32(), v[1].GetInt32()))];
    }

    /// <summary>Notes that an argument has no influence here.</summary>
    public void Ignore(params ReadOnlySpan<string> names)
    {
        foreach (var name in names) read.Add(name);
    }

    /// <summary>
    /// What a call that PyTorch rejects means here by decision, and how its outputs are held to that.
    /// </summary>
    public (string Meaning, Func<Tensor[], Difference> Check)? Decision { get; set; }

    /// <summary>
    /// The type that a result was asked for: nothing, or a floating-point type, in which the call runs anyway.
    /// </summary>
    /// <exception cref="SignatureException">Another type.</exception>
    public void RefuseOtherResult()
    {
        if (Word("dtype", "float64") is not ("float64" or "float32"))
            throw new SignatureException("a result has the type of the operands");
    }

    /// <summary>Index or mask values on the host.</summary>
    public static long[] Host(Tensor t) => Array.ConvertAll(t.ToDoubles(), x => (long)x);

    /// <summary>A tensor of the floating-point type of the call.</summary>
    public Tensor Constant(ReadOnlySpan<double> values, Shape shape) => Tensor.FromDoubles(device, values, shape, type);

    public Tensor Scalar(double value) => Tensor.Full(device, new Shape(), type, value);

    /// <summary>Dropout with the recorded keep mask.</summary>
    public DropoutSource Keep(Tensor? keep, double probability) => keep is null
        ? default
        : new DropoutSource(probability, 0, default,
            memory.Upload<byte>(Array.ConvertAll(keep.ToDoubles(), x => (byte)x), DType.Bool));

    /// <summary>Raw device memory until the call ends.</summary>
    public DeviceMemory Memory => memory;

    /// <summary>An argument that was given but never read would silently change the meaning of the case.</summary>
    /// <exception cref="NotExpressibleException">There is one.</exception>
    public void RefuseUnread()
    {
        foreach (var argument in arguments.EnumerateObject())
        {
            if (argument.Value.ValueKind != JsonValueKind.Null && !read.Contains(argument.Name))
                throw new NotExpressibleException($"the argument {argument.Name} is not expressed");
        }
        foreach (var name in tensors.Keys)
        {
            var dot = name.LastIndexOf('.');
            if (!read.Contains(name) && (dot < 0 || !read.Contains(name[..dot])))
                throw new NotExpressibleException($"the argument {name} is not expressed");
        }
    }

    public static double NumberOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => value.GetDouble(),
        JsonValueKind.True => 1,
        JsonValueKind.False => 0,
        _ => value.GetString() switch
        {
            "inf" => double.PositiveInfinity,
            "-inf" => double.NegativeInfinity,
            "nan" => double.NaN,
            var other => throw new NotExpressibleException($"\"{other}\" is not a number"),
        },
    };
}
