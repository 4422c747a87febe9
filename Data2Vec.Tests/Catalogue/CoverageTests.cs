using System.Reflection;
using Data2Vec.Bench.Cases;
using Data2Vec.Bench.Running;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using NUnit.Framework;
using Cases = Data2Vec.Bench.Cases.Catalogue;

namespace Data2Vec.Tests.Catalogue;

/// <summary>Every operation of the contract is in the catalogue, and the catalogue really runs it.</summary>
public sealed class CoverageTests
{
    /// <summary>Every operation, read from the contract: those that take an argument struct.</summary>
    internal static string[] Operations => [.. typeof(IBackend).GetMethods()
        .Where(m => m.GetParameters() is [{ ParameterType.IsByRef: true } p] && p.ParameterType.GetElementType()!.Name.EndsWith("Args"))
        .Select(m => m.Name)];

    private static IEnumerable<string> Families => Operations.Where(o => !o.EndsWith("Backward"));

    [Test]
    public void The_contract_has_operations() => Assert.That(Families.Count(), Is.GreaterThanOrEqualTo(22));

    [TestCaseSource(nameof(Families))]
    public void An_operation_has_tiny_cases_and_a_refusal(string operation)
    {
        Assert.That(Cases.Cases.Any(c => c.Op == operation && c.Size == CaseSize.Tiny), $"{operation} has no tiny case.");
        Assert.That(Cases.Errors.Any(e => e.Op == operation), $"{operation} has no error case.");
    }

    [Test]
    public void The_catalogue_names_only_operations_of_the_contract_and_methods_of_the_engine()
    {
        var named = Cases.Cases.Select(c => c.Op).Concat(Cases.Errors.Select(e => e.Op)).Distinct();
        Assert.That(named, Is.SubsetOf(Operations.Concat(typeof(Ops).GetMethods().Select(m => m.Name))));
        Assert.That(Cases.NoDerivativeProof.Keys, Is.SubsetOf(Operations));
        Assert.That(Cases.Cases.Select(c => c.Id).Concat(Cases.Errors.Select(e => e.Id)), Is.Unique);
    }

    [TestCaseSource(nameof(Families))]
    public void Its_cases_call_the_kernel_and_its_gradient(string operation)
    {
        var backend = new RecordingBackend(new ReferenceBackend());
        using var device = new Device("recording", backend);
        foreach (var c in Cases.Cases.Where(c => c.Op == operation && c.Size == CaseSize.Tiny))
        {
            using var session = new CaseSession(c, device, DType.Float32, c.Draw());
            if (c.IsDifferentiable) session.ForwardAndBackward(c.Run!);
            else session.Forward();
        }
        Assert.That(backend.Called, Does.Contain(operation));
        if (Operations.Contains(operation + "Backward")) Assert.That(backend.Called, Does.Contain(operation + "Backward"));
    }

    [TestCaseSource(typeof(Cases), nameof(Cases.Composites))]
    public void A_composite_has_a_refusal_and_a_proof_of_its_derivative(string method)
    {
        Assert.That(Cases.Errors.Any(e => e.Op == method), $"{method} has no error case.");
        Assert.That(Cases.Cases.Any(c => c.Op == method && c.Size == CaseSize.Tiny && GradientProof.SkipReason(c) is null),
            $"No case of {method} proves its derivative.");
    }

    [TestCaseSource(nameof(Families))]
    public void Its_derivative_is_proven_or_the_reason_is_stated(string operation)
    {
        if (Cases.NoDerivativeProof.TryGetValue(operation, out var reason))
        {
            Assert.That(reason, Has.Length.GreaterThan(10));
            Assert.That(Operations, Does.Not.Contain(operation + "Backward"), "An operation with a backward kernel needs a proof.");
            return;
        }
        using var reference = BenchDevice.Open("reference");
        Assert.That(Cases.Cases.Where(c => c.Op == operation && c.Size == CaseSize.Tiny)
            .Any(c => GradientProof.Prove(reference, c) is { Status: Status.Passed, Derivatives: > 0 }),
            $"No case of {operation} proves its derivative.");
    }

    [Test]
    public void Every_function_of_an_enumeration_has_a_case()
    {
        AssertNamed<UnaryOp>(nameof(IBackend.Unary));
        AssertNamed<BinaryOp>(nameof(IBackend.Binary));
        AssertNamed<ReduceOp>(nameof(IBackend.Reduce));
        AssertNamed<AdamVariant>(nameof(IBackend.Adam));
        AssertNamed<Reduction>(nameof(IBackend.SmoothL1));
        AssertNamed<Reduction>(nameof(IBackend.CrossEntropy));
        AssertNamed<Reduction>(nameof(IBackend.CtcLoss));
    }

    private static void AssertNamed<T>(string operation)
        where T : struct, Enum
    {
        foreach (var name in Enum.GetNames<T>())
            Assert.That(Cases.Cases.Any(c => c.Op == operation && c.Name.StartsWith(name)), $"{operation} has no case for {name}.");
    }
}
