using System.Text.Json.Nodes;
using Data2Vec.Bench.Cases;
using Data2Vec.Bench.Running;
using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Bench.SideBySide;

/// <summary>`time --peer pytorch`: the peer first, then we, on the same device; one line for each case, type and pass.</summary>
internal static class PeerComparison
{
    public static void Run(Request request, Device device, IBounds bounds, Report report)
    {
        var types = request.TypeIsGiven ? [request.Type] : new[] { DType.Float32, DType.BFloat16 };
        var cases = new PeerCases(request.TinyOnly).All().Where(c => Catalogue.Matches(c.Id, request.Filter))
            .SelectMany(c => c.Types.Intersect(types).Select(t => (Case: c, Type: t))).ToArray();
        if (cases.Length == 0) return;
        JsonArray requests = [.. cases.Select(c => (JsonNode)c.Case.Request(c.Type))];
        var answer = new PeerProcess(request.PeerPython).Run(
            requests, DeviceOf(device), line => report.Output.WriteLine($"peer: {line}"));
        report.Output.WriteLine($"peer: {answer.Peer} on {answer.Device}");
        bounds.Measure();
        report.Output.WriteLine(bounds);
        var table = new PeerTable(answer, bounds);
        report.Output.WriteLine(table);
        foreach (var (c, type) in cases)
            foreach (var row in c.Time(device, bounds, type)) report.Add(table.Merge(row, c.IdOf(type), type));
    }

    /// <summary>The same GPU, or the processor where the host plays the device.</summary>
    private static string DeviceOf(Device device)
    {
        var parts = device.Name.Split(':');
        return parts is ["cuda" or "ilgpu", var number] && int.TryParse(number, out var n) ? $"cuda:{n}" : "cpu";
    }
}
