using System.Text.Json.Nodes;
using Data2Vec.Bench.Cases;
using Data2Vec.Bench.Running;
using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Bench.SideBySide;

/// <summary>Something that a peer can do too: an operation of ours and the words in which the peer is asked for it.</summary>
/// <param name="Op">What the peer's script calls it.</param>
/// <param name="Name">What is special about it.</param>
/// <param name="Options">What the script needs beside the shapes.</param>
internal abstract record PeerCase(string Op, string Name, JsonObject Options)
{
    /// <summary>Types that both sides have it in.</summary>
    public IReadOnlyList<DType> Types { get; init; } = [DType.Float32, DType.BFloat16];

    /// <summary>"linear/text fc1, bias and GELU", which the filter of the command line looks at.</summary>
    public string Id => $"{Op}/{Name}";

    /// <summary>The name of a case in one type: what joins request, answer and our own line.</summary>
    public string IdOf(DType type) => $"{Id} {type.Name()}";

    /// <summary>Our own lines, one for each pass.</summary>
    public abstract IReadOnlyList<Row> Time(Device device, IBounds bounds, DType type);

    /// <summary>The request for one type.</summary>
    public JsonObject Request(DType type)
    {
        var request = new JsonObject
        {
            ["id"] = IdOf(type), ["op"] = Op, ["dtype"] = type.Name(), ["options"] = Options.DeepClone(),
        };
        Fill(request, type);
        return request;
    }

    /// <summary>Adds shapes and passes.</summary>
    protected abstract void Fill(JsonObject request, DType type);
}

/// <summary>An operation.</summary>
internal sealed record PeerOperation(OpCase Case, string Op, JsonObject Options) : PeerCase(Op, Case.Name, Options)
{
    /// <summary>Shapes in the peer's own layout, where that is another.</summary>
    public IReadOnlyList<(string Name, int[] Shape)>? Shapes { get; init; }

    public override IReadOnlyList<Row> Time(Device device, IBounds bounds, DType type) =>
        [.. new Running.Timer(device, bounds).Time(Case, type).Select(r => r with { Op = Op, Case = $"{Name} {type.Name()}" })];

    protected override void Fill(JsonObject request, DType type)
    {
        var shapes = new JsonObject();
        foreach (var (name, shape) in Shapes ?? [.. Case.Inputs.Select(i => (i.Name, i.Shape.ToArray()))])
            shapes[name] = new JsonArray([.. shape.Select(n => (JsonNode)n)]);
        request["shapes"] = shapes;
        // For the peer's own rotation of operands: about what moves.
        var bytes = Case.Bytes ?? Case.Inputs.Sum(i => i.Shape.Count * (i.Type ?? type).Size());
        var passes = new JsonArray(new JsonObject { ["pass"] = "forward", ["bytes"] = bytes });
        if (Case.IsDifferentiable) passes.Add(new JsonObject { ["pass"] = "forward+backward", ["bytes"] = 2 * bytes });
        request["passes"] = passes;
    }
}

/// <summary>A whole update.</summary>
internal sealed record PeerStep(Func<DType, StepCase> Make, string Name, JsonObject Options) : PeerCase("step", Name, Options)
{
    public override IReadOnlyList<Row> Time(Device device, IBounds bounds, DType type)
    {
        try
        {
            var row = new Running.Timer(device, bounds).Time(Make(type));
            return [row with { Op = Op, Case = $"{Name} {type.Name()}" }];
        }
        catch (Exception e) when (e is NotSupportedException or InvalidOperationException or ArgumentException)
        {
            return [new Row(Op, $"{Name} {type.Name()}", Status.Failed) { Reason = e.Message }];
        }
    }

    protected override void Fill(JsonObject request, DType type)
    {
        request["shapes"] = new JsonObject();
        request["passes"] = new JsonArray(new JsonObject { ["pass"] = "update", ["bytes"] = 0 });
    }
}
